import type { Position } from '../twin/geometry.ts';
import { DRAWN_KINDS, type DrawnKind } from '../twin/kinds.ts';
import { round } from '../twin/viewport.ts';

/** The panels that one of can be open. */
export const PANELS = ['incidents', 'districts', 'list', 'layers'] as const;
export type Panel = (typeof PANELS)[number];

/** So many are recorded at once: each that is out of view costs a subscription. */
export const MOST_KEPT = 8;

/** All that a shared address holds. What is absent is as the page has it by itself. */
export interface Address {
  readonly view?: { readonly centre: Position; readonly zoom: number };
  /** The layers that are on. */
  readonly layers?: readonly DrawnKind[];
  /** The global id of what is chosen, or of a square. */
  readonly chosen?: string;
  readonly panel?: Panel | 'none';
  /** The global ids of what is recorded, in view or not. */
  readonly kept?: readonly string[];
}

/** Junctions say little that roads do not: they are off until somebody wants them. */
export const DEFAULT_LAYERS: readonly DrawnKind[] = DRAWN_KINDS.filter((kind) => kind !== 'NODE');

/** Writes the part of an address behind its `#`, without what is as it is by itself. */
export function formatAddress({ view, layers, chosen, panel, kept = [] }: Address): string {
  const parts: string[] = [];
  if (view) {
    // So many decimals that the last one is about a pixel.
    const decimals = Math.max(2, Math.ceil(view.zoom / 3) + 1);
    parts.push(`map=${round(view.zoom, 2)}/${round(view.centre[1], decimals)}/${round(view.centre[0], decimals)}`);
  }
  if (layers && !isDefault(layers)) parts.push(`layers=${layers.map((kind) => kind.toLowerCase()).join(',')}`);
  if (chosen !== undefined) parts.push(`at=${encoded(chosen)}`);
  if (panel !== undefined) parts.push(`panel=${panel}`);
  if (kept.length > 0) parts.push(`keep=${kept.map(encoded).join(',')}`);
  return parts.join('&');
}

/** Reads what `formatAddress` wrote; what makes no sense is left out. */
export function parseAddress(hash: string): Address {
  const parts = new Map(
    hash
      .replace(/^#/, '')
      .split('&')
      .map((part): [string, string] => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const view = parseView(parts.get('map'));
  const layers = parts.get('layers')?.split(',').map((word) => word.toUpperCase());
  const chosen = decoded(parts.get('at'));
  const kept = parts.get('keep')?.split(',').flatMap((id) => decoded(id) || []).slice(0, MOST_KEPT);
  const panel = [...PANELS, 'none' as const].find((each) => each === parts.get('panel'));
  return {
    ...(view && { view }),
    ...(layers && { layers: DRAWN_KINDS.filter((kind) => layers.includes(kind)) }),
    ...(chosen && { chosen }),
    ...(panel && { panel }),
    ...(kept && { kept }),
  };
}

function parseView(text: string | undefined): Address['view'] {
  const [zoom = Number.NaN, latitude = Number.NaN, longitude = Number.NaN] = (text ?? '').split('/').map((part) => (part === '' ? Number.NaN : Number(part)));
  const makesSense = zoom >= 0 && zoom <= 24 && Math.abs(latitude) <= 85 && Math.abs(longitude) <= 180;
  return makesSense ? { centre: [longitude, latitude], zoom } : undefined;
}

/** The id's own percent signs are encoded once more, so that what comes back is the id. */
function encoded(id: string): string {
  return encodeURIComponent(id).replaceAll('%2F', '/');
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isDefault(layers: readonly DrawnKind[]): boolean {
  return layers.length === DEFAULT_LAYERS.length && DEFAULT_LAYERS.every((kind) => layers.includes(kind));
}
