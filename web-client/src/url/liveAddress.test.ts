import { describe, expect, test } from 'vitest';
import { formatLiveAddress, type LiveAddress, parseLiveAddress } from './liveAddress.ts';

const full: LiveAddress = {
  view: 'analytics',
  city: 'l,a&quila',
  zone: 'Lower East/Side',
  topic: 'GRID_ALERTS',
  feature: 'us_aqi',
  hours: 72,
  compared: ['a,b', 'c'],
};

describe('an address of City Live', () => {
  test('comes back as it was written', () => {
    expect(parseLiveAddress(`#${formatLiveAddress(full)}`)).toEqual(full);
    expect(parseLiveAddress(formatLiveAddress({ view: 'models' }))).toEqual({ view: 'models' });
  });

  test('can be read by a person', () => {
    expect(formatLiveAddress({ view: 'stream', city: 'nyc', topic: 'AQI_STREAM' })).toBe('view=stream&city=nyc&topic=aqi_stream');
  });

  test('leaves out what makes no sense', () => {
    expect(parseLiveAddress('#view=cellar&topic=moon&hours=5&zone=%')).toEqual({ view: 'zones' });
    expect(parseLiveAddress('')).toEqual({ view: 'zones' });
  });

  test('compares at most six zones', () => {
    expect(parseLiveAddress('#zones=1,2,3,4,5,6,7').compared).toHaveLength(6);
  });
});
