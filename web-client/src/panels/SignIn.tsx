import { type FormEvent, type RefObject, useState } from 'react';
import { useTexts } from '../i18n/context.ts';
import { useShell } from '../page/context.ts';

/** Asks for the operator's token and lets the server judge it. */
export function SignIn({ dialog, id = 'sign-title' }: { readonly dialog: RefObject<HTMLDialogElement | null>; readonly id?: string }) {
  const texts = useTexts();
  const { operator } = useShell();
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string>();
  const [asking, setAsking] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setAsking(true);
    try {
      if (await operator.signIn(token.trim())) dialog.current?.close();
      else setProblem(texts.say('sign.refused'));
    } catch (error) {
      setProblem(texts.say('sign.failed', { reason: error instanceof Error ? error.message : String(error) }));
    }
    setAsking(false);
  };

  const forget = () => {
    setToken('');
    setProblem(undefined);
  };

  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={forget}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={id}>{texts.say('sign.title')}</h2>
        <p className="soft">{texts.say('sign.text')}</p>
        <label>
          {texts.say('sign.token')}
          <input type="password" value={token} required autoComplete="current-password" aria-invalid={problem !== undefined} onChange={(event) => setToken(event.target.value)} />
        </label>
        <output className="problem">{problem}</output>
        <div className="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            {texts.say('sign.cancel')}
          </button>
          <button type="submit" className="chief" disabled={asking}>
            {texts.say('sign.in')}
          </button>
        </div>
      </form>
    </dialog>
  );
}
