import { describe, expect, test } from 'vitest';
import { type Address, DEFAULT_LAYERS, formatAddress, parseAddress } from './address.ts';

const full: Address = {
  view: { centre: [13.3995, 42.3498], zoom: 13.25 },
  layers: ['EDGE', 'BUS'],
  chosen: 'sensor/centro%20storico/aq-1',
  panel: 'incidents',
  kept: ['bus/a,b', 'edge/E-1'],
};

describe('an address', () => {
  test('comes back as it was written', () => {
    expect(parseAddress(`#${formatAddress(full)}`)).toEqual(full);
    expect(parseAddress('#')).toEqual({});
    expect(parseAddress(formatAddress({ panel: 'none', layers: [] }))).toEqual({ panel: 'none', layers: [] });
  });

  test('can be read by a person', () => {
    expect(formatAddress(full)).toBe('map=13.25/42.3498/13.3995&layers=edge,bus&at=sensor/centro%2520storico/aq-1&panel=incidents&keep=bus/a%2Cb,edge/E-1');
    expect(formatAddress({ layers: DEFAULT_LAYERS })).toBe('');
  });

  test('holds the view to about a pixel', () => {
    const { view } = parseAddress(formatAddress({ view: { centre: [13.123456789, 42.987654321], zoom: 18 } }));
    expect(view?.centre[0]).toBeCloseTo(13.123456789, 6);
    expect(view?.centre[1]).toBeCloseTo(42.987654321, 6);
  });

  test.each(['map=', 'map=13', 'map=13/91/0', 'map=13/0/181', 'map=25/0/0', 'map=a/b/c', 'map=13//0'])('of %j has no view', (hash) => {
    expect(parseAddress(hash).view).toBeUndefined();
  });

  test('leaves out what makes no sense', () => {
    expect(parseAddress('#layers=edge,moon&panel=cellar&at=%')).toEqual({ layers: ['EDGE'] });
  });
});
