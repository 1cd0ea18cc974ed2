import { useEffect, useRef, useState } from 'react';
import type { TwinEntity } from '../api/index.ts';
import { useTexts } from '../i18n/context.ts';
import { usePage } from '../page/context.ts';
import { measuresOf } from '../twin/describe.ts';
import { positionOf } from '../twin/geometry.ts';
import { useSource } from '../twin/source.ts';
import { MOST_KEPT } from '../url/address.ts';
import { Glyph } from './icons.tsx';

/** What can be done with an entity; what needs an operator is there only for one. */
export function Actions({ entity }: { readonly entity: TwinEntity }) {
  const texts = useTexts();
  const { operator, map } = usePage();
  const allowed = useSource(operator.allowed);
  const [copied, setCopied] = useState(false);
  const at = positionOf(entity);
  useEffect(() => void operator.ask(), [operator]);

  const copy = async () => {
    await navigator.clipboard.writeText(window.location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };

  return (
    <div className="actions">
      {at && (
        <button type="button" onClick={() => map.goTo(at)}>
          <Glyph name="target" size={16} />
          {texts.say('detail.centre')}
        </button>
      )}
      {/* Only where the page came by https or from this machine may it write to the clipboard. */}
      {window.isSecureContext && (
        <button type="button" onClick={() => void copy()}>
          <Glyph name="link" size={16} />
          <span aria-live="polite">{texts.say(copied ? 'detail.copied' : 'detail.copyLink')}</span>
        </button>
      )}
      {measuresOf(entity.kind).length > 0 && <Keep id={entity.id} />}
      {allowed === true && <Remove entity={entity} />}
    </div>
  );
}

function Keep({ id }: { readonly id: string }) {
  const texts = useTexts();
  const { state } = usePage();
  const kept = useSource(state.kept);
  const isKept = kept.includes(id);
  return (
    <button
      type="button"
      aria-pressed={isKept}
      disabled={!isKept && kept.length >= MOST_KEPT}
      title={texts.say('detail.keepHint')}
      onClick={() => state.kept.set(isKept ? kept.filter((each) => each !== id) : [...kept, id])}
    >
      <Glyph name="record" size={16} />
      {texts.say('detail.keep')}
    </button>
  );
}

function Remove({ entity }: { readonly entity: TwinEntity }) {
  const texts = useTexts();
  const { operator } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string>();

  const remove = async () => {
    try {
      await operator.remove(entity.id);
      dialog.current?.close();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  return (
    <>
      <button type="button" className="danger" onClick={() => dialog.current?.showModal()}>
        <Glyph name="remove" size={16} />
        {texts.say('detail.remove')}
      </button>
      <dialog ref={dialog} aria-label={texts.say('detail.remove')} onClose={() => setProblem(undefined)}>
        <p>{texts.say('detail.removeSure', { id: entity.id })}</p>
        {problem !== undefined && <p className="notice">{texts.say('detail.removeFailed', { reason: problem })}</p>}
        <div className="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            {texts.say('detail.removeNo')}
          </button>
          <button type="button" className="danger" onClick={() => void remove()}>
            {texts.say('detail.removeYes')}
          </button>
        </div>
      </dialog>
    </>
  );
}
