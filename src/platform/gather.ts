// Calls that come while another one is at work are done together, all at once: many small callers,
// few statements. Knows no domain word.

/** Makes a function whose calls are handed to `work` in lists of at most `most`; `work` answers in the
 *  same order. One list at a time. When `work` throws, all calls of its list fail with that error. */
export function gather<Ask, Answer>(
  most: number,
  work: (asks: Ask[]) => Promise<Answer[]>
): (ask: Ask) => Promise<Answer> {
  type Call = { ask: Ask; resolve: (answer: Answer) => void; reject: (error: unknown) => void }
  let waiting: Call[] = []
  let isWorking = false
  const run = async () => {
    isWorking = true
    // Those that are called in the same moment come along.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const calls = waiting.slice(0, most)
      waiting = waiting.slice(most)
      try {
        const answers = await work(calls.map(({ ask }) => ask))
        for (const [i, { resolve }] of calls.entries()) resolve(answers[i] as Answer)
      } catch (error) {
        for (const { reject } of calls) reject(error)
      }
    }
    isWorking = false
  }
  return (ask) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ ask, resolve, reject })
      if (!isWorking) void run()
    })
}
