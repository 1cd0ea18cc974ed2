import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './landing.css';
import { Landing } from './Landing.tsx';

createRoot(document.querySelector('#root') as HTMLElement).render(
  <StrictMode>
    <Landing />
  </StrictMode>,
);
