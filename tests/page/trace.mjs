// Reads a trace of the browser: how long the main thread of each page was busy without a break.
//
// Two lengths of a task: on the wall, which other programs of the machine stretch, and of the thread's own processor
// time, which they do not. A mark of the page names what follows.

/** A mark that begins with this names the page of its thread. */
export const kPageMark = 'page ';
/** One that begins with this tells what was done to the page then. */
const kDeedMark = 'did ';
const kTold = 30;
const kCountedMs = 1;

/** {NAME: {tasks, counted_cpu_ms: [of each task above a millisecond], longest: [{wall_ms, cpu_ms, at_ms, after: MARK, within: [name…]}]}}, the longest by processor time first. */
export function longTasks({traceEvents: events}) {
  const marks = events.filter(({cat, name}) => cat === 'blink.user_timing' && (name.startsWith(kPageMark) || name.startsWith(kDeedMark)))
      .sort((a, b) => a.ts - b.ts);
  const found = {};
  for (const named of marks.filter((mark) => mark.name.startsWith(kPageMark))) {
    const mine = events.filter((event) => event.pid === named.pid && event.tid === named.tid && event.ph === 'X');
    const tasks = mine.filter((event) => event.name === 'RunTask').sort((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0));
    found[named.name.slice(kPageMark.length)] = {
      tasks: tasks.length,
      counted_cpu_ms: tasks.map((task) => (task.tdur ?? 0) / 1000).filter((ms) => ms >= kCountedMs),
      longest: tasks.slice(0, kTold).map((task) => ({
        wall_ms: task.dur / 1000, cpu_ms: task.tdur === undefined ? null : task.tdur / 1000, at_ms: (task.ts - named.ts) / 1000,
        after: marks.filter((mark) => mark.pid === named.pid && mark.ts <= task.ts + task.dur).at(-1)?.name ?? null,
        within: mine.filter((event) => event !== task && event.ts >= task.ts && event.ts + event.dur <= task.ts + task.dur && event.dur > 1000)
            .sort((a, b) => b.dur - a.dur).slice(0, 6)
            .map((event) => `${event.name} ${(event.dur / 1000).toFixed(1)} ms ${event.args?.data?.functionName ?? event.args?.data?.url ?? ''}`.trim()),
      })),
    };
  }
  return found;
}
