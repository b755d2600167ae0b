import 'uplot/dist/uPlot.min.css';
import './style.css';

import {render} from 'preact';

import {App} from './app';
import {applyTheme, keptTheme} from './state/kept';
import {start} from './state/store';

applyTheme(keptTheme());
render(<App />, document.getElementById('app')!);
void start();
