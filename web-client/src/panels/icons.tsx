import { BOX, SHAPES } from '../map/shapes.ts';
import { type Look, LOOKS, lookOf } from '../map/sprites.ts';
import { usePalette } from '../page/context.ts';
import type { TwinEntity } from '../api/index.ts';
import type { PointKind } from '../twin/kinds.ts';
import { CONGESTION_LEVELS } from '../map/palette.ts';
import { objectOf, textOf } from '../twin/describe.ts';

const PATHS = {
  search: 'M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13ZM15.3 15.3L20 20',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  whole: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  target: 'M12 5a7 7 0 1 1 0 14a7 7 0 0 1 0-14ZM12 2v4M12 18v4M2 12h4M18 12h4',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  record: 'M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16ZM12 9.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 0 1 0-5Z',
  remove: 'M5 7h14M10 7V4.5h4V7M7 7l1 12.5h8L17 7M10.5 10.5v5.5M13.5 10.5v5.5',
  incidents: 'M12 4l9 15.5H3ZM12 10v4.5M12 16.9v.1',
  districts: 'M4 20V10l5-3v13M9 20V4l6 3v13M15 20v-9l5 2.5V20M3 20h18',
  list: 'M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4 6.5h.6M4 12h.6M4 17.5h.6',
  layers: 'M12 4l9 4.8-9 4.8-9-4.8ZM4.3 12.5L3 13.2 12 18l9-4.8-1.3-.7',
  cityLive: 'M3 12.5h3.5L9 6l4 12.5 3-8.5 1.5 2.5H21',
  process: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 3.5V7.5h-4',
  pause: 'M9 5v14M15 5v14',
  play: 'M8 5l10 7-10 7Z',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  map: 'M3.5 6.5L9 4l6 2.5L20.5 4v13.5L15 20l-6-2.5-5.5 2.5ZM9 4v13.5M15 6.5V20',
  chart: 'M4 4v16h16M7.5 15l4-5 3.5 3 5-7',
  models: 'M12 3.5l7.5 4.2v8.6L12 20.5l-7.5-4.2V7.7ZM4.5 7.7L12 12l7.5-4.3M12 12v8.5',
  chevron: 'M9 5.5L15.5 12 9 18.5',
} as const;

export type GlyphName = keyof typeof PATHS;

/** A sign of the page itself, drawn in the colour of its text. */
export function Glyph({ name, size = 20 }: { readonly name: GlyphName; readonly size?: number }) {
  return (
    <svg className="glyph" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The icon that the map draws, from the same shape, sign and colour. */
export function LookIcon({ name, size = 20 }: { readonly name: string; readonly size?: number }) {
  const palette = usePalette();
  const look: Look | undefined = LOOKS.get(name);
  if (!look) return null;
  const colour = look.fill(palette);
  const ink = look.hollow ? colour : palette.sign;
  return (
    <svg className="look" width={size} height={size} viewBox={`0 0 ${BOX} ${BOX}`} aria-hidden="true">
      <path d={SHAPES[look.kind]} fill={look.hollow ? palette.rim : colour} stroke={look.hollow ? colour : 'none'} strokeWidth={1.8} />
      {look.sign && (
        <path
          d={look.sign.path}
          fill={look.sign.filled ? ink : 'none'}
          stroke={look.sign.filled ? 'none' : ink}
          strokeWidth={2.2}
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      )}
    </svg>
  );
}

/** A short piece of road in a colour of the traffic. */
export function RoadIcon({ level, size = 20 }: { readonly level: string | undefined; readonly size?: number }) {
  const palette = usePalette();
  const step = CONGESTION_LEVELS.findIndex((each) => each === level);
  return (
    <svg className="look" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d="M3 17C9 17 11 7 21 7" fill="none" stroke={palette.congestion[step] ?? palette.road} strokeWidth={step >= 2 ? 6 : 4.5} strokeLinecap="round" />
    </svg>
  );
}

/** The icon of an entity as it is now. */
export function EntityIcon({ entity, size = 20 }: { readonly entity: TwinEntity; readonly size?: number }) {
  const { kind, fields } = entity;
  if (kind === 'EDGE') return <RoadIcon level={textOf(objectOf(fields['trafficConditions'])?.['congestionLevel'])} size={size} />;
  if (kind === 'DISTRICT') return <Glyph name="districts" size={size} />;
  return <LookIcon name={lookOf(kind as PointKind, fields)} size={size} />;
}
