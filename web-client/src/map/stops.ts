/**
 * The value at a zoom: between two of the `zooms` it grows evenly, or by a power of the zoom where `growth` is not 1; before the first
 * and beyond the last it stays. As MapLibre's `interpolate` does it.
 */
export function between(zoom: number, zooms: readonly number[], values: readonly number[], growth = 1): number {
  const next = zooms.findIndex((each) => zoom < each);
  if (next === 0) return values[0]!;
  if (next < 0) return values.at(-1)!;
  const [from, to] = [zooms[next - 1]!, zooms[next]!];
  const share = growth === 1 ? (zoom - from) / (to - from) : (growth ** (zoom - from) - 1) / (growth ** (to - from) - 1);
  return values[next - 1]! + (values[next]! - values[next - 1]!) * share;
}
