import { Map as MapLibre, type MapOptions, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';

setWorkerUrl(workerUrl);

/** A MapLibre map as the pages have it; `label` is what a screen reader calls it. */
export function makeMap(options: MapOptions, label: string): MapLibre {
  const map = new MapLibre({
    minZoom: 0,
    maxZoom: 20,
    // North is up and the ground is flat: it keeps streets where people know them, and the sums over the map simple.
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    renderWorldCopies: false,
    attributionControl: false,
    fadeDuration: 150,
    locale: { 'Map.Title': label },
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  return map;
}
