// A text filter that is asked for once the typing pauses. What it says stands in the address.
import {useEffect, useState} from 'preact/hooks';

import {setQuery, usePlace} from '../state/router';

export function Words({name, label, example}: {name: string; label: string; example: string}) {
  const {query} = usePlace();
  const given = query.get(name) ?? '';
  const [words, setWords] = useState(given);
  // A space at the end is on its way to the next word.
  useEffect(() => {
    if (words.trim() !== given) setWords(given);
  }, [given]);
  useEffect(() => {
    if (words.trim() === given) return;
    const soon = window.setTimeout(() => setQuery({[name]: words.trim()}), 300);
    return () => window.clearTimeout(soon);
  }, [words]);
  return <label>{label} <input type="search" value={words} placeholder={example}
    onInput={(event) => setWords(event.currentTarget.value)} /></label>;
}
