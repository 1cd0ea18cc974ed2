import { type Camera, placeAt } from './camera.ts';
import { type Origin, PointColumns, STRIDE } from './columns.ts';
import { mercatorX, mercatorY, TILE_SIZE } from './mercator.ts';
import type { Palette } from './palette.ts';
import { ATLAS_COLUMNS, ATLAS_ROWS, CELL, drawAtlas } from './sprites.ts';
import { BOX } from './shapes.ts';
import { between } from './stops.ts';
import { moves, POINT_KINDS, type PointKind } from '../twin/kinds.ts';
import type { Position } from '../twin/geometry.ts';
import { link, RECTANGLES, sample, Table, uniformsOf, VERTICES } from './webgl.ts';

/** CSS pixels of an icon's box at these zooms, between which it grows evenly: dots over a city, signs in a street. */
const SIZES: Record<PointKind, readonly [number, number, number, number]> = {
  NODE: [1.5, 3, 7, 12],
  BUILDING: [2.5, 6, 15, 22],
  SENSOR: [3, 8, 17, 23],
  WEATHER_STATION: [7, 15, 22, 26],
  STATION: [4, 10, 19, 23],
  BUS: [10, 18, 25, 30],
  UNIT: [10, 17, 24, 28],
  INCIDENT: [14, 22, 28, 32],
};
const SIZE_ZOOMS = [10, 13, 15.5, 17.5] as const;

/** CSS pixels of the icon of a kind at a zoom. */
export function sizeOf(kind: PointKind, zoom: number): number {
  return between(zoom, SIZE_ZOOMS, SIZES[kind]);
}

const VERTEX = `#version 300 es
uniform highp sampler2D points;
uniform vec2 centre;
uniform vec2 viewport;
uniform float scale;
uniform float now;
uniform float size;
out vec2 texel;
${RECTANGLES}
void main() {
  ivec2 at = cell(row(), ${STRIDE / 4});
  vec4 way = texelFetch(points, at, 0);
  vec4 glide = texelFetch(points, at + ivec2(1, 0), 0);
  float sprite = texelFetch(points, at + ivec2(2, 0), 0).x;
  float share = glide.y > 0.0 ? clamp((now - glide.x) / glide.y, 0.0, 1.0) : 1.0;
  vec2 place = (mix(way.xy, way.zw, share) - centre) * scale;
  float angle = radians(glide.z + glide.w * share);
  vec2 turned = mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * (corner() * size * 0.5);
  gl_Position = vec4((place + turned) / viewport * vec2(2.0, -2.0), 0.0, 1.0);
  vec2 icon = vec2(mod(sprite, ${ATLAS_COLUMNS}.0), floor(sprite / ${ATLAS_COLUMNS}.0));
  texel = (icon + corner() * 0.5 + 0.5) / vec2(${ATLAS_COLUMNS}.0, ${ATLAS_ROWS}.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec2 texel;
uniform sampler2D atlas;
out vec4 colour;
void main() {
  colour = texture(atlas, texel);
}`;

const UNIFORMS = ['atlas', 'points', 'centre', 'viewport', 'scale', 'now', 'size'] as const;

interface Graphics {
  readonly program: WebGLProgram;
  readonly uniforms: Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;
  readonly texture: WebGLTexture;
  readonly tables: ReadonlyMap<PointKind, Table>;
}

/**
 * All points of the map on a canvas of their own above it.
 *
 * What glides is then drawn again at every frame without the 15,000 roads below, and where it is, is worked out on the
 * graphics card: a second of gliding costs next to no script.
 */
export class Overlay {
  readonly canvas = document.createElement('canvas');
  readonly columns: ReadonlyMap<PointKind, PointColumns>;
  readonly #gl: WebGL2RenderingContext;
  readonly #origin: Origin;
  readonly #camera: () => Camera;
  readonly #onDraw: () => void;
  #graphics: Graphics;
  #palette: Palette;
  #frame: number | undefined;

  constructor(palette: Palette, origin: Position, camera: () => Camera, onDraw: () => void) {
    this.#origin = { x: mercatorX(origin[0]), y: mercatorY(origin[1]), time: performance.now() };
    this.columns = new Map(POINT_KINDS.map((kind) => [kind, new PointColumns(this.#origin, moves(kind))]));
    this.#camera = camera;
    this.#onDraw = onDraw;
    this.#palette = palette;
    this.canvas.className = 'points';
    this.canvas.setAttribute('aria-hidden', 'true');
    const gl = this.canvas.getContext('webgl2', { antialias: false, depth: false, stencil: false });
    if (!gl) throw new Error('no WebGL 2');
    this.#gl = gl;
    this.#graphics = prepare(gl, palette);
    this.canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    this.canvas.addEventListener('webglcontextrestored', () => {
      this.#graphics = prepare(gl, this.#palette);
      this.draw();
    });
  }

  setPalette(palette: Palette): void {
    this.#palette = palette;
    if (this.#gl.isContextLost()) return;
    upload(this.#gl, this.#graphics.texture, palette);
    this.draw();
  }

  resize({ width, height }: Camera): void {
    const ratio = window.devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width === wide && this.canvas.height === high) return;
    this.canvas.width = wide;
    this.canvas.height = high;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  /** Draws at the next frame, and at all after it while something glides. */
  wake(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.draw();
    });
  }

  draw(): void {
    const gl = this.#gl;
    if (gl.isContextLost()) return;
    const camera = this.#camera();
    this.resize(camera);
    const { program, uniforms, tables, texture } = this.#graphics;
    const now = (performance.now() - this.#origin.time) / 1000;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.uniform2f(uniforms.centre, mercatorX(camera.centre[0]) - this.#origin.x, mercatorY(camera.centre[1]) - this.#origin.y);
    gl.uniform2f(uniforms.viewport, camera.width, camera.height);
    gl.uniform1f(uniforms.scale, TILE_SIZE * 2 ** camera.zoom);
    gl.uniform1f(uniforms.now, now);
    let gliding = false;
    for (const [kind, columns] of this.columns) {
      const table = tables.get(kind);
      if (!table || columns.count === 0) continue;
      send(table, columns);
      sample(gl, [uniforms.atlas, texture], [uniforms.points, table.texture]);
      gl.uniform1f(uniforms.size, (sizeOf(kind, camera.zoom) * CELL) / BOX);
      gl.drawArrays(gl.TRIANGLES, 0, columns.count * VERTICES);
      gliding ||= columns.gliding > now;
    }
    this.#onDraw();
    if (gliding) this.wake();
  }

  /** The point under a place of the screen, the uppermost first. */
  pick(at: { readonly x: number; readonly y: number }, reach: number): string | undefined {
    const camera = this.#camera();
    const pixels = TILE_SIZE * 2 ** camera.zoom;
    const { x, y } = placeAt(camera, at);
    const now = performance.now();
    for (const kind of POINT_KINDS.toReversed()) {
      const radius = Math.max(sizeOf(kind, camera.zoom) / 2, reach) / pixels;
      const hit = this.columns.get(kind)?.nearest(x, y, radius, now);
      if (hit) return hit.id;
    }
    return undefined;
  }

  /** Where a point is seen now, glide and all. */
  place(id: string): Position | undefined {
    const now = performance.now();
    for (const columns of this.columns.values()) {
      const place = columns.place(id, now);
      if (place) return place.at;
    }
    return undefined;
  }

  remove(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
    this.canvas.remove();
  }
}

function prepare(gl: WebGL2RenderingContext, palette: Palette): Graphics {
  const program = link(gl, VERTEX, FRAGMENT);
  const texture = gl.createTexture();
  upload(gl, texture, palette);
  const tables = new Map(POINT_KINDS.map((kind) => [kind, new Table(gl, STRIDE / 4)]));
  return { program, uniforms: uniformsOf(gl, program, UNIFORMS), texture, tables };
}

function upload(gl: WebGL2RenderingContext, texture: WebGLTexture, palette: Palette): void {
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, drawAtlas(palette));
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.generateMipmap(gl.TEXTURE_2D);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
}

/** Hands the rows that changed to the graphics card. */
function send(table: Table, columns: PointColumns): void {
  table.send(columns.data, columns.count, columns.dirtyFrom, columns.dirtyTo);
  columns.dirtyFrom = 0;
  columns.dirtyTo = 0;
}
