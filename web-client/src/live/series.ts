/** Times (Unix milliseconds, ascending) and values of the same length. */
export interface Line {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** As it comes from the server. */
export function lineOf({ times, values }: { readonly times: readonly string[]; readonly values: readonly number[] }): Line {
  return { times: times.map((time) => Date.parse(time)), values };
}

/** Where two neighbours are further apart than this, the line between them is left out. */
const MOST_APART_MS = 3.5 * 3_600_000;

/**
 * Lines over one axis, as uPlot takes them: seconds, then a column for each line. Undefined is a time that only another line
 * has; null is a gap.
 */
export function aligned(lines: readonly Line[]): [number[], ...(number | null | undefined)[][]] {
  const times = [...new Set(lines.flatMap((line) => line.times))].toSorted((a, b) => a - b);
  const columns = lines.map((line) => {
    const at = new Map(line.times.map((time, i) => [time, line.values[i]]));
    let last = Number.NEGATIVE_INFINITY;
    let next = 0;
    return times.map((time) => {
      const value = at.get(time);
      if (value !== undefined) {
        last = time;
        return value;
      }
      while (next < line.times.length && line.times[next]! < time) next += 1;
      const isGap = (line.times[next] ?? Number.POSITIVE_INFINITY) - last > MOST_APART_MS;
      return isGap ? null : undefined;
    });
  });
  return [times.map((time) => time / 1000), ...columns];
}

/** Least, mean, most and last of a line; undefined where it has no value. */
export function summaryOf({ values }: Line): { readonly least: number; readonly mean: number; readonly most: number; readonly last: number } | undefined {
  const last = values.at(-1);
  if (last === undefined) return undefined;
  return { least: Math.min(...values), most: Math.max(...values), mean: values.reduce((sum, value) => sum + value, 0) / values.length, last };
}

/** Lines as rows of a table: the newest hour first, a value for each line or undefined. */
export function hourRows(lines: readonly Line[]): readonly { readonly time: number; readonly values: readonly (number | undefined)[] }[] {
  const byTime = lines.map((line) => new Map(line.times.map((time, i) => [time, line.values[i]])));
  const times = [...new Set(lines.flatMap((line) => line.times))].toSorted((a, b) => b - a);
  return times.map((time) => ({ time, values: byTime.map((values) => values.get(time)) }));
}
