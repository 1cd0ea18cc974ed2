import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useTexts } from '../i18n/context.ts';
import type { Palette } from '../map/palette.ts';
import { usePalette } from '../page/context.ts';
import { aligned, type Line } from './series.ts';

export interface ChartLine extends Line {
  readonly name: string;
  /** For what is said of the future. */
  readonly dashed?: boolean;
}

interface Props {
  readonly lines: readonly ChartLine[];
  /** The space between two lines, drawn in the colour of the last of `lines`. */
  readonly band?: { readonly times: readonly number[]; readonly low: readonly number[]; readonly high: readonly number[] } | undefined;
  /** Says in a sentence what the chart shows; the numbers stand beside it for those who do not see it. */
  readonly label: string;
  readonly format: (value: number) => string;
  readonly timeZone?: string | undefined;
  readonly height?: number;
  /** Whether the names of the lines stand below, with their values where the pointer is. */
  readonly legend?: boolean;
}

/** Lines over time, with a mark at the present moment where they go beyond it. */
export function LiveChart({ lines, band, label, format, timeZone, height = 140, legend = false }: Props) {
  const texts = useTexts();
  const palette = usePalette();
  const place = useRef<HTMLDivElement>(null);
  const drawn = JSON.stringify([lines, band]);

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const sides: Line[] = band ? [{ times: band.times, values: band.high }, { times: band.times, values: band.low }] : [];
    const data = aligned([...lines, ...sides]);
    const clock = (at: number) => texts.hour(at * 1000, timeZone);
    const chart = new uPlot(options({ width: element.clientWidth, height, palette, lines, hasBand: band !== undefined, legend, clock, format }), data as uPlot.AlignedData, element);
    const resizes = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resizes.observe(element);
    return () => {
      resizes.disconnect();
      chart.destroy();
    };
    // `drawn` stands for the lines and the band, whose arrays are made anew each time.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [drawn, palette, texts, timeZone, height, legend]);

  return (
    <>
      <p className="unseen">{label}</p>
      <div className={legend ? 'live-chart with-legend' : 'live-chart'} style={{ minHeight: height }} ref={place} aria-hidden="true" />
    </>
  );
}

interface Look {
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
  readonly lines: readonly ChartLine[];
  readonly hasBand: boolean;
  readonly legend: boolean;
  readonly clock: (at: number) => string;
  readonly format: (value: number) => string;
}

function options({ width, height, palette, lines, hasBand, legend, clock, format }: Look): uPlot.Options {
  const font = '11px system-ui, sans-serif';
  const axis = { stroke: palette.ink, font, ticks: { show: false }, grid: { stroke: `${palette.quiet}44`, width: 1 } };
  const colour = (i: number) => palette.lines[i % palette.lines.length] ?? palette.accent;
  const value = (_: uPlot, number: number | null) => (number === null || number === undefined ? '' : format(number));
  const side = { class: 'side', width: 0, points: { show: false }, spanGaps: true };
  return {
    width,
    height,
    legend: { show: legend, live: true },
    cursor: { show: legend, y: false, drag: { x: false, y: false } },
    padding: [10, 14, 0, 0],
    scales: { x: { time: true }, y: { range: (_, least, most) => around(least, most) } },
    axes: [
      { ...axis, size: 26, gap: 5, space: 76, values: (_, splits) => splits.map(clock) },
      { ...axis, size: 76, gap: 6, space: 34, values: (_, splits) => splits.map((split) => format(split)) },
    ],
    series: [
      { value: (_, at) => (at === null || at === undefined ? '' : clock(at)), label: '' },
      ...lines.map((line, i) => ({
        label: line.name,
        stroke: colour(i),
        width: 2,
        points: { show: line.values.length === 1, size: 6, fill: colour(i) },
        value,
        ...(line.dashed && { dash: [6, 4] }),
      })),
      ...(hasBand ? [side, side] : []),
    ],
    ...(hasBand && { bands: [{ series: [lines.length + 1, lines.length + 2] as [number, number], fill: `${colour(lines.length - 1)}33` }] }),
    hooks: { draw: [(chart) => markNow(chart, palette)] },
  };
}

/** A line at the present moment, where the chart reaches beyond it. */
function markNow(chart: uPlot, palette: Palette): void {
  const { min, max } = chart.scales['x'] ?? {};
  const now = Date.now() / 1000;
  if (min === undefined || max === undefined || min === null || max === null || now <= min || now >= max) return;
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(now, 'x', true));
  ctx.save();
  ctx.strokeStyle = palette.ink;
  ctx.globalAlpha = 0.6;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** A little room above and below, and never a scale without height. */
function around(least: number | null, most: number | null): [number, number] {
  if (least === null || most === null || Number.isNaN(least)) return [0, 1];
  const room = Math.max((most - least) * 0.12, Math.abs(most) * 0.02, 0.01);
  return [least >= 0 ? Math.max(0, least - room) : least - room, most + room];
}
