mod documents;
mod properties;
mod runs;
mod town;
