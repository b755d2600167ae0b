import type {ComponentChildren} from 'preact';
import {useEffect, useRef} from 'preact/hooks';

// Modal, by the browser's own <dialog>: it keeps the focus, Escape closes it, and the focus goes
// back to what opened it.
export function Dialog({title, close, children}: {title: string; close: () => void;
  children: ComponentChildren}) {
  const here = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    here.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={here} aria-labelledby="dialog-title" onClose={close} onCancel={close}
      onPointerDown={(event) => event.target === here.current && event.button === 0 && close()}>
      <div class="dialog">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="small" onClick={close} aria-label="Close">✕</button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
