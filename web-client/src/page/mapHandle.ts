import type { Box } from '../api/index.ts';
import type { Insets, TwinMap } from '../map/twinMap.ts';
import type { Position } from '../twin/geometry.ts';

/** The way from panels to the map. Before the map is there, nothing happens. */
export class MapHandle {
  map: TwinMap | undefined;
  /** What panels cover of the map now. */
  readonly insets: () => Insets;

  constructor(insets: () => Insets) {
    this.insets = insets;
  }

  goTo(at: Position): void {
    this.map?.goTo(at, this.insets());
  }

  show(box: Box): void {
    this.map?.show(box, this.insets());
  }

  zoomBy(steps: number): void {
    this.map?.zoomBy(steps);
  }
}
