import type { CustomLayerInterface, Map as MapLibre } from 'maplibre-gl';
import { mercatorX, mercatorY, TILE_SIZE } from './mercator.ts';
import type { Palette } from './palette.ts';
import { type Bucket, BUSY, BUSY_WIDTH, type Pen, type Rank, RANKS, type RoadColumns, type Rows, STRIDE } from './roadColumns.ts';
import { between } from './stops.ts';
import { link, RECTANGLES, sample, Table, uniformsOf, VERTICES } from './webgl.ts';

/** CSS pixels at a zoom, between which they grow by a power of it: for the four ranks of roads, the main ones first. */
type Stops = readonly (readonly [zoom: number, pixels: readonly [number, number, number, number]])[];

const WIDTHS: Stops = [
  [10, [1.6, 1.1, 0.7, 0.4]],
  [13, [3.2, 2.3, 1.6, 1.0]],
  [15, [4.4, 3.5, 2.8, 2.0]],
  [18, [12, 10.5, 9, 7.5]],
];

// Each direction is a road of its own: seen from near, they lie side by side, traffic on the right.
const OFFSETS: Stops = [
  [13.5, [0, 0, 0, 0]],
  [15, [2.6, 2.2, 1.8, 1.4]],
  [18, [7, 6.2, 5.4, 4.6]],
];

const GROWTH = 1.4;

// A road that is chosen stands before something wider by so many CSS pixels.
const CHOSEN_MARGIN = 8;

function pixels(stops: Stops, zoom: number, rank: Rank): number {
  return between(zoom, stops.map(([each]) => each), stops.map(([, of]) => of[rank]), GROWTH);
}

/** How roads of a rank are drawn at a zoom. */
export function penAt(zoom: number, rank: Rank): Pen {
  return { width: pixels(WIDTHS, zoom, rank), offset: pixels(OFFSETS, zoom, rank) };
}

// Each stretch is a rectangle around its line, long enough for round ends, which also round the bends.
const VERTEX = `#version 300 es
uniform highp sampler2D ways;
uniform highp isampler2D levels;
uniform vec2 centre;
uniform vec2 viewport;
uniform float scale;
uniform float offset;
uniform float reach;
uniform int least;
uniform vec3 colours[5];
uniform vec3 ink;
uniform float inked;
out vec2 spot;
flat out float len;
flat out vec3 paint;
${RECTANGLES}
void main() {
  int level = texelFetch(levels, cell(row(), 1), 0).r;
  if (level < least) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    return;
  }
  vec4 way = texelFetch(ways, cell(row(), 2), 0);
  vec4 right = texelFetch(ways, cell(row(), 2) + ivec2(1, 0), 0);
  vec2 begin = (way.xy - centre) * scale + right.xy * offset;
  vec2 end = (way.zw - centre) * scale + right.zw * offset;
  vec2 along = end - begin;
  len = length(along);
  along = len > 0.0 ? along / len : vec2(1.0, 0.0);
  spot = vec2(corner().x < 0.0 ? -reach : len + reach, corner().y * reach);
  gl_Position = vec4((begin + along * spot.x + vec2(-along.y, along.x) * spot.y) / viewport * vec2(2.0, -2.0), 0.0, 1.0);
  paint = mix(colours[level + 1], ink, inked);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec2 spot;
flat in float len;
flat in vec3 paint;
uniform float reach;
uniform float ratio;
out vec4 colour;
void main() {
  float away = length(vec2(max(max(-spot.x, spot.x - len), 0.0), spot.y));
  colour = vec4(paint, 1.0) * clamp((reach - away) * ratio, 0.0, 1.0);
}`;

const UNIFORMS = ['ways', 'levels', 'centre', 'viewport', 'scale', 'offset', 'reach', 'least', 'colours', 'ink', 'inked', 'ratio'] as const;

// Levels from -1 on.
const ALL = -1;

/** Of a rank. */
interface Tables {
  readonly ways: Table;
  readonly levels: Table;
}

interface Graphics {
  readonly program: WebGLProgram;
  readonly uniforms: Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;
  /** None: all that is drawn comes from tables. */
  readonly attributes: WebGLVertexArrayObject;
  readonly tables: readonly Tables[];
}

/** The roads as a layer of MapLibre, drawn straight from their columns: nothing is cut into tiles, and no change is long on its way. */
export class RoadLayer implements CustomLayerInterface {
  readonly id = 'roads';
  readonly type = 'custom';
  readonly #columns: RoadColumns;
  #map: MapLibre | undefined;
  #graphics: Graphics | undefined;
  /** How many roads the last frame has. */
  drawn = 0;
  /** The id of the road that is marked. */
  chosen: string | undefined;
  palette: Palette;

  constructor(columns: RoadColumns, palette: Palette) {
    this.#columns = columns;
    this.palette = palette;
  }

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map = map;
    const program = link(gl, VERTEX, FRAGMENT);
    const tables = RANKS.map((rank) => {
      // What another context had is gone.
      const bucket = this.#columns.buckets[rank]!;
      [bucket.moved, bucket.coloured] = [true, true];
      return { ways: new Table(gl, STRIDE / 4), levels: new Table(gl, 'byte') };
    });
    this.#graphics = { program, uniforms: uniformsOf(gl, program, UNIFORMS), attributes: gl.createVertexArray(), tables };
  }

  render(gl: WebGL2RenderingContext): void {
    if (!this.#map || !this.#graphics) return;
    const { program, uniforms, attributes, tables } = this.#graphics;
    const { origin, count } = this.#columns;
    this.drawn = count;
    if (!origin || count === 0) return;
    const { lng, lat } = this.#map.getCenter();
    const zoom = this.#map.getZoom();
    // CSS pixels of the canvas, which the page may have another place for by now.
    const { style } = this.#map.getCanvas();
    const [width, height] = [Number.parseFloat(style.width), Number.parseFloat(style.height)];
    // MapLibre has fewer pixels than the screen where these would be too many.
    const ratio = gl.drawingBufferWidth / width;
    const { congestion, road, ink } = this.palette;
    gl.useProgram(program);
    gl.bindVertexArray(attributes);
    gl.uniform2f(uniforms.centre, mercatorX(lng) - origin.x, mercatorY(lat) - origin.y);
    gl.uniform2f(uniforms.viewport, width, height);
    gl.uniform1f(uniforms.scale, TILE_SIZE * 2 ** zoom);
    gl.uniform1f(uniforms.ratio, ratio);
    gl.uniform3fv(uniforms.colours, [road, ...congestion].flatMap(channelsOf));
    gl.uniform3fv(uniforms.ink, channelsOf(ink));
    for (const rank of RANKS) send(tables[rank]!, this.#columns.buckets[rank]!);

    const draw = ({ rank, first, length }: Rows, least: number, widthOf: (wide: number) => number) => {
      if (length === 0) return;
      const { ways, levels } = tables[rank]!;
      const pen = penAt(zoom, rank);
      sample(gl, [uniforms.ways, ways.texture], [uniforms.levels, levels.texture]);
      gl.uniform1f(uniforms.offset, pen.offset);
      // Half a pixel of the screen more, in which it fades.
      gl.uniform1f(uniforms.reach, widthOf(pen.width) / 2 + 0.5 / ratio);
      gl.uniform1i(uniforms.least, least);
      gl.drawArrays(gl.TRIANGLES, first * VERTICES, length * VERTICES);
    };
    const chosen = this.#columns.rows(this.chosen);
    if (chosen) {
      gl.uniform1f(uniforms.inked, 1);
      draw(chosen, ALL, (wide) => wide + CHOSEN_MARGIN);
    }
    gl.uniform1f(uniforms.inked, 0);
    const all = RANKS.toReversed().map((rank) => ({ rank, first: 0, length: this.#columns.buckets[rank]!.count }));
    for (const rows of all) draw(rows, ALL, (wide) => wide);
    // Once more above the rest: what is jammed is never hidden by the free direction, and is also thicker.
    for (const rows of all) if (this.#columns.buckets[rows.rank]!.busy > 0) draw(rows, BUSY, (wide) => wide * BUSY_WIDTH);
    gl.bindVertexArray(null);
  }
}

/** Hands what changed of a rank to the graphics card. */
function send({ ways, levels }: Tables, bucket: Bucket): void {
  bucket.pack();
  if (bucket.moved) ways.send(bucket.ways, bucket.count, 0, bucket.count);
  if (bucket.moved || bucket.coloured) levels.send(bucket.levels, bucket.count, 0, bucket.count);
  [bucket.moved, bucket.coloured] = [false, false];
}

/** Red, green and blue of a colour like `#12ab9f`, from 0 to 1. */
function channelsOf(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
}
