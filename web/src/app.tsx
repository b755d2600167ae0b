// The frame around every page: navigation, the server's state, and who may come in.
import type {ComponentChild, ComponentChildren} from 'preact';
import {useEffect, useErrorBoundary} from 'preact/hooks';

import {Failed, Loading, Problem, Time} from './components/basics';
import {ApiError} from './api/client';
import {Alerts} from './pages/alerts';
import {Beacon} from './pages/beacon';
import {Beacons} from './pages/beacons';
import {Edges} from './pages/edges';
import {Events} from './pages/events';
import {Fleet} from './pages/fleet';
import {FleetGroups, FleetTarget} from './pages/fleet_groups';
import {FleetImage, FleetImages} from './pages/fleet_images';
import {FleetInstall} from './pages/fleet_install';
import {FleetInstrument} from './pages/fleet_instrument';
import {FleetRollout, FleetRollouts} from './pages/fleet_rollouts';
import {FleetSensor} from './pages/fleet_sensor';
import {Leak} from './pages/leak';
import {Leaks} from './pages/leaks';
import {Login} from './pages/login';
import {Peers} from './pages/peers';
import {Settings} from './pages/settings';
import {Today} from './pages/today';
import {useAction} from './state/query';
import {followLinks, to, usePlace, type Place} from './state/router';
import {leave, retryNow, useStore} from './state/store';

interface Page {
  name: string;  // the path's first part
  title: string;
  show: (rest: string[], place: Place) => ComponentChild;
  hidden?: boolean;  // not in the navigation
}

const kNowhere = () => <Failed error={new ApiError(404, 'There is no such page; the link may be cut off.')} />;

function fleetPage([what, one, two]: string[]): ComponentChild {
  switch (what ?? '') {
    case '':
      return <Fleet />;
    case 'sensors':
      return !one ? <Fleet /> : two ? <FleetInstrument sensor={one} name={two} key={`${one} ${two}`} /> : <FleetSensor name={one} key={one} />;
    case 'images':
      return one ? <FleetImage sha256={one} key={one} /> : <FleetImages />;
    case 'groups':
      return one ? <FleetTarget target={one} key={one} /> : <FleetGroups />;
    case 'rollouts':
      return one ? <FleetRollout id={one} key={one} /> : <FleetRollouts />;
    case 'install':
      return <FleetInstall />;
    default:
      return kNowhere();
  }
}

// A page is one line here.
const kPages: Page[] = [
  {name: '', title: 'Today', show: () => <Today />},
  {name: 'beacons', title: 'Beacons', show: ([id]) => (id ? <Beacon identity={id} key={id} /> : <Beacons />)},
  {name: 'leaks', title: 'Leaks', show: ([id]) => (id ? <Leak id={id} key={id} /> : <Leaks />)},
  {name: 'fleet', title: 'Fleet', show: fleetPage},
  {name: 'alerts', title: 'Alerts', show: () => <Alerts />},
  {name: 'events', title: 'Events', show: () => <Events />},
  {name: 'edges', title: 'Edges', show: () => <Edges />},
  {name: 'settings', title: 'Settings', show: ([tab]) => <Settings tab={tab ?? 'config'} />},
  {name: 'hosts', title: 'Hosts', hidden: true, show: ([ip]) => <Peers of="host" address={ip ?? ''} key={ip} />},
  {name: 'destinations', title: 'Destinations', hidden: true,
    show: ([ip]) => <Peers of="destination" address={ip ?? ''} key={ip} />},
];

function Stale() {
  const since = useStore((s) => s.lostSince);
  if (since === null) return null;
  return (
    <div class="stale" role="alert">
      <span>The server has not answered since <Time at={new Date(since).toISOString()} />. What you see is from then;
        it is asked again by itself.</span>
      <button type="button" class="small" onClick={retryNow}>Ask now</button>
    </div>
  );
}

function Nav({at}: {at: string}) {
  const session = useStore((s) => s.session);
  const live = useStore((s) => s.live);
  const out = useAction(leave);
  return (
    <header class="nav">
      <a class="brand" href={to()}><img src={`${import.meta.env.BASE_URL}favicon.svg`} alt="" width={24} height={24} />
        Beaconry</a>
      <nav aria-label="Main">
        {kPages.filter((page) => !page.hidden).map((page) => (
          <a key={page.name} href={page.name ? to(page.name) : to()} aria-current={page.name === at ? 'page' : undefined}>
            {page.title}</a>
        ))}
      </nav>
      <div class="who">
        <span class={`dot${live ? ' on' : ''}`} role="img" aria-label={live ? 'live' : 'not live'}
          title={live ? 'What comes is shown as it comes' : 'Waiting for the server'} />
        <span class="quiet">{session?.name}</span>
        {session?.expires && <button type="button" class="small" disabled={out.busy} onClick={() => void out.run()}>Log out</button>}
        <Problem error={out.error} />
      </div>
    </header>
  );
}

// A fault of ours in one page leaves the others, and says so. Keyed by the address: the next page is whole.
function Guard({children}: {children: ComponentChildren}) {
  const [fault, reset] = useErrorBoundary((error: unknown) => console.error(error));
  if (fault === undefined) return <>{children}</>;
  const words = `This page broke: ${fault instanceof Error ? fault.message : String(fault)}. The others go on; `
    + 'with the address and what you did before, it can be mended.';
  return <Failed error={new ApiError(500, words)} retry={reset} />;
}

export function App() {
  const door = useStore((s) => s.door);
  const stale = useStore((s) => s.lostSince !== null);
  const place = usePlace();
  useEffect(() => {
    document.addEventListener('click', followLinks);
    return () => document.removeEventListener('click', followLinks);
  }, []);
  if (door === 'login') return <Login />;
  if (door === 'starting') {
    return <main class="login" id="main" tabIndex={-1}><h1 class="hidden">Beaconry</h1><Stale />
      <Loading what="who you are" /></main>;
  }
  const [first = '', ...rest] = place.parts;
  const page = kPages.find((one) => one.name === first);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}>Skip to the content</a>
      <div class="frame">
        <Nav at={first} />
        <main id="main" tabIndex={-1} class={stale ? 'is-stale' : ''}>
          <Stale />
          <Guard key={place.parts.join('/')}>
            {page ? page.show(rest, place) : kNowhere()}
          </Guard>
        </main>
      </div>
    </>
  );
}
