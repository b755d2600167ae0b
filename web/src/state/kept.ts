// What this browser keeps for its reader: theme and saved views. A browser that keeps nothing
// (private windows may not) is no error.
export function keep(name: string, value: unknown) {
  try {
    localStorage.setItem('beaconry.' + name, JSON.stringify(value));
  } catch {
    // It holds until the page is left.
  }
}
export function kept<V>(name: string, otherwise: V, fits: (value: unknown) => value is V): V {
  try {
    const value: unknown = JSON.parse(localStorage.getItem('beaconry.' + name) ?? 'null');
    return fits(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export type Theme = 'system' | 'light' | 'dark';
const isTheme = (value: unknown): value is Theme =>
  value === 'system' || value === 'light' || value === 'dark';
export const keptTheme = () => kept<Theme>('theme', 'system', isTheme);
export function applyTheme(theme: Theme) {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  keep('theme', theme);
  window.dispatchEvent(new Event('beaconry-theme'));
}

export interface SavedView {
  name: string;
  query: string;
}
const areViews = (value: unknown): value is SavedView[] =>
  Array.isArray(value) && value.every((view: unknown) => typeof view === 'object' && view !== null &&
    typeof (view as SavedView).name === 'string' && typeof (view as SavedView).query === 'string');
export const savedViews = (page: string) => kept<SavedView[]>('views.' + page, [], areViews);
export const saveViews = (page: string, views: SavedView[]) => keep('views.' + page, views.slice(0, 50));
