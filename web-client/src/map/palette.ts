/** How a map is lit. */
export type Theme = 'light' | 'dark';

/** Free, slowed, heavy, jammed: how congested a road is, in this order. */
export const CONGESTION_LEVELS = ['low', 'moderate', 'high', 'severe'] as const;

/** How much is at stake in a zone, in this order. */
export const RISK_LEVELS = ['LOW', 'MODERATE', 'HIGH', 'SEVERE'] as const;

/** Every colour that the map and the legend share. What matters more has more contrast with the ground. */
export interface Palette {
  readonly ground: string;
  /** Around an icon, so that neighbours stay apart. */
  readonly rim: string;
  /** Signs on icons. */
  readonly sign: string;
  readonly ink: string;
  readonly accent: string;
  /** Out of order, out of service, resolved, unknown. */
  readonly quiet: string;
  /** By `CONGESTION_LEVELS`. */
  readonly congestion: readonly [string, string, string, string];
  readonly road: string;
  readonly sensor: string;
  readonly weather: string;
  readonly station: string;
  readonly node: string;
  readonly bus: string;
  readonly busMaintenance: string;
  /** From empty to full, then more than full. */
  readonly occupancy: readonly [string, string, string, string, string];
  readonly severity: { readonly critical: string; readonly high: string; readonly medium: string; readonly low: string };
  readonly unit: { readonly available: string; readonly dispatched: string; readonly on_scene: string };
  /** Low, moderate, high, severe: a zone's risk, by `RISK_LEVELS`. */
  readonly risk: readonly [string, string, string, string];
  /** Lines of one chart, apart for the colour-blind as well. */
  readonly lines: readonly string[];
  /** From few to many in a square. */
  readonly cells: readonly [string, string, string];
}

export const PALETTES: Record<Theme, Palette> = {
  light: {
    ground: '#eef1f0',
    rim: '#ffffff',
    sign: '#ffffff',
    ink: '#12212a',
    accent: '#0b5d63',
    quiet: '#8b979c',
    congestion: ['#a3bbb2', '#e3a008', '#dd5a1a', '#a3123a'],
    road: '#c0c9c9',
    sensor: '#0c7a80',
    weather: '#2f7fc1',
    station: '#33475b',
    node: '#7d8b90',
    bus: '#1d4fd7',
    busMaintenance: '#7a6a1f',
    occupancy: ['#b9b3d9', '#988dc8', '#7566b3', '#523f97', '#8b1a6b'],
    severity: { critical: '#b3001b', high: '#d1480c', medium: '#b07a00', low: '#5e7480' },
    unit: { available: '#1b7a43', dispatched: '#7b2fbf', on_scene: '#b3246f' },
    risk: ['#8cc0a0', '#e8bd4a', '#e07a33', '#b3194a'],
    lines: ['#0b5d63', '#c2410c', '#4f46c8', '#8a6100', '#a3247a', '#3f7d20'],
    cells: ['#cfe3e1', '#5aa7a5', '#0b5d63'],
  },
  dark: {
    ground: '#10171b',
    rim: '#0b1114',
    sign: '#0b1114',
    ink: '#e6edee',
    accent: '#6fd3c9',
    quiet: '#6f7f86',
    congestion: ['#3d6159', '#d9a21b', '#f0712c', '#ff4d76'],
    road: '#33424a',
    sensor: '#3fc1bd',
    weather: '#6db7f2',
    station: '#b3c3d1',
    node: '#66777f',
    bus: '#6f9bff',
    busMaintenance: '#c9b65a',
    occupancy: ['#4a4770', '#665e9e', '#8a7fd0', '#b8aef5', '#f08fd3'],
    severity: { critical: '#ff6b78', high: '#ff9152', medium: '#f0c14b', low: '#9db0b6' },
    unit: { available: '#5fd08e', dispatched: '#c08bff', on_scene: '#ff85bd' },
    risk: ['#3f8a66', '#c99a2b', '#e2702f', '#ee4a73'],
    lines: ['#6fd3c9', '#ff9d5c', '#a5a0ff', '#e3c14b', '#ff8fd0', '#93d168'],
    cells: ['#1d3438', '#2f7f80', '#7fe3d4'],
  },
};
