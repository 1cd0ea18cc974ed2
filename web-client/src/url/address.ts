import type { Position } from '../twin/geometry.ts';
import { DRAWN_KINDS, type DrawnKind } from '../twin/kinds.ts';
import { round } from '../twin/viewport.ts';

/** The panels that one of can be open. */
export const PANELS = ['incidents', 'districts', 'list', 'layers'] as const;
export type Panel = (typeof PANELS)[number];

/** All that a shared address holds. What is absent is as the page has it by itself. */
export interface Address {
  readonly view?: { readonly centre: Position; readonly zoom: number };
  /** The layers that are on. */
  readonly layers?: readonly DrawnKind[];
  /** The global id of what is chosen, or of a square. */
  readonly chosen?: string;
  readonly panel?: Panel | 'none';
}

/** Junctions say little that roads do not: they are off until somebody wants them. */
export const DEFAULT_LAYERS: readonly DrawnKind[] = DRAWN_KINDS.filter((kind) => kind !== 'NODE');

/** Writes the part of an address behind its `#`, without what is as it is by itself. */
export function formatAddress({ view, layers, chosen, panel }: Address): string {
  const parts: string[] = [];
  if (view) {
    // So many decimals that the last one is about a pixel.
    const decimals = Math.max(2, Math.ceil(view.zoom / 3) + 1);
    parts.push(`map=${round(view.zoom, 2)}/${round(view.centre[1], decimals)}/${round(view.centre[0], decimals)}`);
  }
  if (layers && !isDefault(layers)) parts.push(`layers=${layers.map((kind) => kind.toLowerCase()).join(',')}`);
  // The id's own percent signs are encoded once more, so that what comes back is the id.
  if (chosen !== undefined) parts.push(`at=${encodeURIComponent(chosen).replaceAll('%2F', '/')}`);
  if (panel !== undefined) parts.push(`panel=${panel}`);
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
  const panel = [...PANELS, 'none' as const].find((each) => each === parts.get('panel'));
  return {
    ...(view && { view }),
    ...(layers && { layers: DRAWN_KINDS.filter((kind) => layers.includes(kind)) }),
    ...(chosen && { chosen }),
    ...(panel && { panel }),
  };
}

function parseView(text: string | undefined): Address['view'] {
  const [zoom = Number.NaN, latitude = Number.NaN, longitude = Number.NaN] = (text ?? '').split('/').map((part) => (part === '' ? Number.NaN : Number(part)));
  const makesSense = zoom >= 0 && zoom <= 24 && Math.abs(latitude) <= 85 && Math.abs(longitude) <= 180;
  return makesSense ? { centre: [longitude, latitude], zoom } : undefined;
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
