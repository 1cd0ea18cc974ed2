/** What the layers that the page draws by itself share. */

/** A program of these shaders. Throws where the graphics card takes none; not where its context is lost. */
export function link(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error('no shader');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`a layer cannot be drawn: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

/** Where the uniforms of a program are. */
export function uniformsOf<Name extends string>(gl: WebGL2RenderingContext, program: WebGLProgram, names: readonly Name[]): Record<Name, WebGLUniformLocation | null> {
  return Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)])) as Record<Name, WebGLUniformLocation | null>;
}

/** Tables have room for whole multiples of so many rows: what stands in a line of their texture. */
export const LINE = 512;

/**
 * What a vertex shader needs to draw each row of a table as a rectangle, `VERTICES` for each: `row()`, its `corner()` from -1 to 1, and
 * `cell(row, texels)`, where a row of so many texels begins.
 */
export const RECTANGLES = `
const vec2 CORNERS[6] = vec2[](vec2(-1, -1), vec2(1, -1), vec2(-1, 1), vec2(-1, 1), vec2(1, -1), vec2(1, 1));
int row() { return gl_VertexID / 6; }
vec2 corner() { return CORNERS[gl_VertexID % 6]; }
ivec2 cell(int row, int texels) { return ivec2(row % ${LINE} * texels, row / ${LINE}); }
`;
export const VERTICES = 6;

/**
 * A table of numbers that shaders read by row.
 *
 * It is a texture, and its rows are drawn as rectangles of one long list of triangles. As instances of a rectangle they would need no
 * texture, but a renderer without a graphics card draws each instance by itself: 37,000 of them in 1.2 s.
 */
export class Table {
  readonly texture: WebGLTexture;
  readonly #gl: WebGL2RenderingContext;
  readonly #texels: number;
  /** Lines that the texture has. */
  #lines = 0;

  /** A row is so many texels, each of four floats; or one of a byte. */
  constructor(gl: WebGL2RenderingContext, texels: number | 'byte') {
    this.#gl = gl;
    this.#texels = texels === 'byte' ? 0 : texels;
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }

  /** Hands over the rows `from` up to `to` of `count`, all of them where there was no room; leaves its texture bound. */
  send(data: Float32Array | Int8Array, count: number, from: number, to: number): void {
    const gl = this.#gl;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    const [width, numbers, inside, format, type] = this.#texels
      ? ([LINE * this.#texels, 4, gl.RGBA32F, gl.RGBA, gl.FLOAT] as const)
      : ([LINE, 1, gl.R8I, gl.RED_INTEGER, gl.BYTE] as const);
    const [first, end] = [Math.floor(from / LINE), Math.ceil(Math.min(to, count) / LINE)];
    if (Math.ceil(count / LINE) > this.#lines) {
      this.#lines = data.length / (width * numbers);
      gl.texImage2D(gl.TEXTURE_2D, 0, inside, width, this.#lines, 0, format, type, data, 0);
    } else if (end > first) {
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, first, width, end - first, format, type, data, first * width * numbers);
    }
  }
}

/** Binds textures to the units that samplers read. */
export function sample(gl: WebGL2RenderingContext, ...textures: readonly (readonly [WebGLUniformLocation | null, WebGLTexture])[]): void {
  for (const [unit, [sampler, texture]] of textures.entries()) {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.uniform1i(sampler, unit);
  }
  gl.activeTexture(gl.TEXTURE0);
}
