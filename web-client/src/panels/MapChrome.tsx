import { useTexts } from '../i18n/context.ts';
import { CONGESTION_LEVELS } from '../map/palette.ts';
import { metresPerPixel } from '../map/mercator.ts';
import { usePage } from '../page/context.ts';
import { useSource } from '../twin/source.ts';
import { Glyph, RoadIcon } from './icons.tsx';

/** The buttons that move the map. */
export function MapButtons() {
  const texts = useTexts();
  const { city, map } = usePage();
  const showWhole = () => {
    const frame = city.frame();
    if (frame) map.show(frame);
  };
  return (
    <div className="map-buttons card">
      <button type="button" className="icon" aria-label={texts.say('map.zoomIn')} onClick={() => map.zoomBy(1)}>
        <Glyph name="plus" />
      </button>
      <button type="button" className="icon" aria-label={texts.say('map.zoomOut')} onClick={() => map.zoomBy(-1)}>
        <Glyph name="minus" />
      </button>
      <button type="button" className="icon" aria-label={texts.say('map.whole')} onClick={showWhole}>
        <Glyph name="whole" />
      </button>
    </div>
  );
}

/** How the traffic's colours read, and how long a kilometre is. */
export function MapKey() {
  const texts = useTexts();
  const { city, state } = usePage();
  const mode = useSource(city.mode);
  const layers = useSource(state.layers);
  const attribution = useSource(state.attribution);
  return (
    <div className="map-key card">
      {mode === 'CELLS' && <p className="cells">{texts.say('map.cells')}</p>}
      {layers.includes('EDGE') && (
        <ul aria-label={texts.say('legend.congestion')}>
          {CONGESTION_LEVELS.map((level) => (
            <li key={level}>
              <RoadIcon level={level} size={16} />
              {texts.word('congestion', level)}
            </li>
          ))}
        </ul>
      )}
      <Scale />
      {attribution !== undefined && <p className="soft small">{attribution}</p>}
    </div>
  );
}

const WIDEST = 90;

function Scale() {
  const texts = useTexts();
  const view = useSource(usePage().state.view);
  if (!view) return null;
  const perPixel = metresPerPixel(view.centre[1], view.zoom);
  const length = roundLength(perPixel * WIDEST);
  const text = length >= 1000 ? texts.say('map.kilometres', { n: texts.number(length / 1000) }) : texts.say('map.metres', { n: texts.number(length, 1) });
  return (
    <div className="scale" style={{ width: length / perPixel }}>
      {text}
    </div>
  );
}

/** The longest of 1, 2 and 5 with zeros that is no longer than `most`. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2].find((each) => each * power <= most) ?? 1;
  return step * power;
}
