import type { ModelOutput } from '../api/cityLive.ts';

/** A model over all zones. */
export interface ModelSummary {
  readonly model: string;
  readonly version: string;
  /** Whether its forecast counts in this city. */
  readonly chosen: boolean;
  readonly zones: number;
  /** The mean of its errors in the zones where it has one. */
  readonly meanError: number | undefined;
  /** In how many zones it has no output. */
  readonly problems: number;
}

/** The models of a city, the chosen one first. */
export function modelsOf(outputs: readonly ModelOutput[]): readonly ModelSummary[] {
  const byModel = grouped(outputs);
  return [...byModel]
    .map(([model, own]) => {
      const errors = own.flatMap(({ error }) => (error === null ? [] : [error]));
      return {
        model,
        version: own[0]?.version ?? '',
        chosen: own.some(({ chosen }) => chosen),
        zones: own.length,
        meanError: errors.length === 0 ? undefined : errors.reduce((sum, error) => sum + error, 0) / errors.length,
        problems: own.filter(({ problem }) => problem !== null).length,
      };
    })
    .toSorted((a, b) => Number(b.chosen) - Number(a.chosen) || a.model.localeCompare(b.model));
}

function grouped(outputs: readonly ModelOutput[]): Map<string, ModelOutput[]> {
  const groups = new Map<string, ModelOutput[]>();
  for (const output of outputs) groups.set(output.model, [...(groups.get(output.model) ?? []), output]);
  return groups;
}
