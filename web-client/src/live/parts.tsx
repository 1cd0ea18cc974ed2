import type { LiveFreshnessState, LiveRiskLevel, Processed } from '../api/cityLive.ts';
import { useTexts } from '../i18n/context.ts';
import { useSay } from '../i18n/live.ts';
import { usePalette } from '../page/context.ts';
import { useNow } from '../page/hooks.ts';
import { colourOf } from './describe.ts';

/** A zone's risk in colour, number and word. */
export function RiskMark({ result }: { readonly result: Processed | undefined }) {
  const say = useSay();
  const texts = useTexts();
  if (!result) return <span className="risk-mark soft">{say('risk.NONE')}</span>;
  const { score, level } = result.risk;
  return (
    <span className="risk-mark">
      <Swatch level={level} />
      {level !== 'UNKNOWN' && <strong>{texts.number(score)}</strong>}
      <span className="soft">{say(`risk.${level}`)}</span>
    </span>
  );
}

export function Swatch({ level }: { readonly level: LiveRiskLevel }) {
  const palette = usePalette();
  return <span className="swatch" style={{ background: colourOf(palette, level) }} />;
}

/** A part of 100 as a bar; the number stands beside it. */
export function Bar({ value, level }: { readonly value: number; readonly level?: LiveRiskLevel }) {
  const palette = usePalette();
  const colour = level === undefined ? palette.accent : colourOf(palette, level);
  return (
    <span className="bar" aria-hidden="true">
      <span style={{ width: `${Math.min(100, Math.max(0, value))}%`, background: colour }} />
    </span>
  );
}

/** How long ago something was, kept up to date. */
export function Age({ at }: { readonly at: number }) {
  const texts = useTexts();
  const now = useNow(5000);
  return (
    <time dateTime={new Date(at).toISOString()} title={texts.moment(at)}>
      {texts.age(Math.max(0, now - at))}
    </time>
  );
}

export function StateChip({ state }: { readonly state: LiveFreshnessState }) {
  const say = useSay();
  return <span className={`state-chip ${state.toLowerCase()}`}>{say(`fresh.${state}`)}</span>;
}

/** Where a value is from; what is simulated is called so. */
export function SourceName({ source, simulated }: { readonly source: string; readonly simulated: boolean }) {
  const say = useSay();
  return (
    <>
      {say.word('source', source.replace(/-simulated$/, ''))}
      {simulated && <span className="state-chip simulated">{say('source.simulated')}</span>}
    </>
  );
}

/** A table that may be wider than the screen: then the keyboard scrolls it as well. */
export function WideTable({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className="wide-table" tabIndex={0} aria-label={label}>
      <table className="table">{children}</table>
    </section>
  );
}
