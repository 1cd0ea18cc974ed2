import 'graphiql/setup-workers/vite';
import { GraphiQL } from 'graphiql';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import './graphiql.css';
import { EXAMPLES } from './examples.ts';
import { fetcher } from './fetcher.ts';

createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <GraphiQL fetcher={fetcher} defaultTabs={[...EXAMPLES]} defaultEditorToolsVisibility={false}>
      <GraphiQL.Logo>
        <a className="home" href="/">
          citytwin
        </a>
      </GraphiQL.Logo>
    </GraphiQL>
  </StrictMode>,
);
