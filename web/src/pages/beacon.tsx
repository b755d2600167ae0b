// One beacon: why it is one, when it called, and what to do about it.
import {useMemo} from 'preact/hooks';

import * as api from '../api/client';
import type {Beacon as BeaconOf, Connection, PairView} from '../api/types';
import {Badge, Copy, Fact, Section, SeverityBadge, Show, Time, Title} from '../components/basics';
import {Chart, Sparkline} from '../components/chart';
import {TriageBox} from '../components/triage_box';
import {bytes, length, local, percent, plural, whole} from '../format';
import {autocorrelation, farthest, histogram} from '../stats';
import {useQuery} from '../state/query';
import {to, withQuery} from '../state/router';

function Why({pair}: {pair: BeaconOf}) {
  const {explanation, rhythm} = pair;
  return (
    <Section title="Why" aside={<span class="big">{percent(pair.combined_score)}</span>}>
      <p class="lead">{explanation.summary || 'Nothing speaks for a beacon.'}
        {rhythm?.description ? ` — ${rhythm.description}` : ''}</p>
      <table class="plain-table">
        <caption class="hidden">Signals, their weight and what they gave</caption>
        <thead><tr><th scope="col">Signal</th><th scope="col">Score</th><th scope="col" class="right">Weight</th>
          <th scope="col" class="right">Gives</th></tr></thead>
        <tbody>
          {explanation.contributing_signals.map((signal) => (
            <tr key={signal.name}>
              <th scope="row">{signal.name}</th>
              <td><meter min={0} max={1} value={signal.score} aria-label={`${signal.name} score`}
                title={`${signal.score.toFixed(3)}; raw ${signal.raw_value}, threshold ${signal.threshold}`} />{' '}
                {percent(signal.score)}</td>
              <td class="right">{percent(signal.weight)}</td>
              <td class="right">{signal.contribution.toFixed(3)}</td>
            </tr>
          ))}
          {explanation.adjustments.map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.name}</th><td colSpan={2}>{one.reason}</td>
              <td class="right">{one.contribution > 0 ? '+' : ''}{one.contribution.toFixed(3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function Facts({pair}: {pair: BeaconOf}) {
  const {interval_stats: stats, rhythm} = pair;
  return (
    <Section title="What it does">
      <dl class="facts">
        <Fact name="Calls every">{length(pair.explanation.detected_interval_seconds)}</Fact>
        <Fact name="Jitter">{pair.jitter_percent.toFixed(1)} %</Fact>
        <Fact name="Intervals">median {length(stats.median)}, {length(stats.min_interval)} to{' '}
          {length(stats.max_interval)}</Fact>
        <Fact name="Check-ins">{whole(pair.check_ins)} by {plural(pair.connection_count, 'connection')}</Fact>
        <Fact name="First seen"><Time at={pair.first_seen} /></Fact>
        <Fact name="Last seen"><Time at={pair.last_seen} /></Fact>
        <Fact name="Sent, received">{bytes(pair.bytes_out)}, {bytes(pair.bytes_in)}</Fact>
        {rhythm && rhythm.missing_share > 0 && <Fact name="Calls that were missed">{percent(rhythm.missing_share)}</Fact>}
        {rhythm && rhythm.episodes > 1 && <Fact name="Episodes">{rhythm.episodes}</Fact>}
        {pair.hidden && <Fact name="Hidden">{pair.hidden_reason ?? pair.hidden}</Fact>}
        {pair.ours && <Fact name="Ours">{pair.ours}</Fact>}
      </dl>
    </Section>
  );
}

function Charts({view}: {view: PairView}) {
  const rhythm = view.pair.explanation.detected_interval_seconds;
  const times = useMemo(() => view.series.map((one) => Date.parse(one.time) / 1000), [view.series]);
  const intervals = useMemo(() => view.series.map((one) => one.interval), [view.series]);
  const outs = useMemo(() => view.series.map((one) => one.bytes_out), [view.series]);
  const ins = useMemo(() => view.series.map((one) => one.bytes_in), [view.series]);
  const bars = useMemo(() => histogram(intervals.filter((x): x is number => x !== null)), [intervals]);
  const again = useMemo(() => autocorrelation(times, rhythm), [times, rhythm]);
  const barX = useMemo(() => bars?.counts.map((_, i) => bars.from + (i + 0.5) * bars.width) ?? [], [bars]);
  const barY = useMemo(() => [bars?.counts ?? []], [bars]);
  const lagX = useMemo(() => again?.values.map((_, i) => (i + 1) * again.step) ?? [], [again]);
  const lagY = useMemo(() => [again?.values ?? []], [again]);
  const limit = useMemo(() => farthest(intervals.filter((x): x is number => x !== null)), [intervals]);
  const gaps = intervals.filter((x) => x !== null && x > limit).length;
  const intervalYs = useMemo(() => [intervals.map((x) => (x !== null && x > limit ? null : x))], [intervals, limit]);
  const sizeYs = useMemo(() => [outs, ins], [outs, ins]);
  if (times.length < 2) return <Section title="Check-ins"><p class="quiet">Too few to be drawn.</p></Section>;
  const first = local(new Date(times[0]! * 1000)), last = local(new Date(times[times.length - 1]! * 1000));
  const sizes = outs.some((x) => x !== null) || ins.some((x) => x !== null);
  return (
    <>
      <Section title="Check-ins" aside={<span class="quiet">{whole(view.series.length)} shown
        {view.check_ins_left_out > 0 && `, ${whole(view.check_ins_left_out)} older ones left out`}</span>}>
        <p class="quiet">Each point is a check-in: when it came, and how long after the one before.
          {gaps > 0 && ` ${plural(gaps, 'gap')} longer than ${length(limit)} ${gaps === 1 ? 'is' : 'are'} left out.`}</p>
        <Chart label={`Timeline of ${view.series.length} check-ins from ${first} to ${last}; median interval ${length(
          view.pair.interval_stats.median)}`} x={times} ys={intervalYs} time zero seconds={['y']}
          lines={[{label: 'Since the last', colour: 'accent', how: 'points'}]} yWords={length} />
      </Section>
      <div class="two">
        {bars && (
          <Section title="Intervals" aside={bars.beyond > 0 &&
            <span class="quiet">{plural(bars.beyond, 'longer one')} beside it</span>}>
            <Chart label={`Histogram of intervals from ${length(bars.from)} to ${length(
              bars.from + bars.width * bars.counts.length)}; most in the bin at ${length(
              barX[bars.counts.indexOf(Math.max(...bars.counts))] ?? 0)}`}
              x={barX} ys={barY} zero xWords={length} yWords={whole} height={180} seconds={['x']} pad={bars.width / 2}
              lines={[{label: 'Check-ins', colour: 'accent', how: 'bars'}]}
              marks={rhythm > 0 ? [{x: rhythm, label: length(rhythm)}] : []} />
          </Section>
        )}
        {again && (
          <Section title="Autocorrelation" aside={<span class="quiet">of the check-ins shown</span>}>
            <Chart label={`Autocorrelation up to ${length(again.step * again.values.length)}; at the rhythm of ${length(
              rhythm)} it is ${(again.values[9] ?? 0).toFixed(2)}`}
              x={lagX} ys={lagY} xWords={length} seconds={['x']} yWords={(y) => y.toFixed(2)} height={180} zero
              lines={[{label: 'Correlation', colour: 'second', how: 'line'}]}
              marks={rhythm > 0 ? [{x: rhythm, label: length(rhythm)}] : []} />
          </Section>
        )}
      </div>
      {sizes && (
        <Section title="Sizes both ways">
          <Chart label={`Bytes of each check-in, sent and received; in all ${bytes(view.pair.bytes_out)} sent and ${
            bytes(view.pair.bytes_in)} received`} x={times} ys={sizeYs} time zero yWords={bytes}
            lines={[{label: 'Sent', colour: 'accent', how: 'points'}, {label: 'Received', colour: 'second', how: 'points'}]} />
        </Section>
      )}
    </>
  );
}

const kSome = 6;
function Related({pair}: {pair: BeaconOf}) {
  const asHost = useQuery('from ' + pair.src_ip, () => api.connections({src_ip: pair.src_ip, limit: kSome}));
  const asDestination = useQuery('to ' + pair.dst_ip, () => api.connections({dst_ip: pair.dst_ip, limit: kSome}));
  const some = (title: string, href: string, asked: typeof asHost, name: (one: Connection) => string) => {
    const others = (asked.data?.pairs ?? []).filter((one) => one.pair_key !== pair.pair_key);
    return (
      <li>
        <a href={href}>{title}</a>{asked.data && <span class="quiet"> {plural(asked.data.total, 'pair')}</span>}
        {others.length > 0 && <ul class="others">{others.map((one) => (
          <li key={one.pair_key + one.server_name}><a href={to('beacons', one.pair_key)}>{name(one)}</a>{' '}
            <span class="quiet">{plural(one.check_ins, 'check-in')}</span></li>
        ))}</ul>}
      </li>
    );
  };
  return (
    <Section title="Who else">
      <ul class="links">
        {some(`All hosts that talk to ${pair.dst_ip}`, to('destinations', pair.dst_ip), asDestination,
          (one) => `${one.src_ip} at port ${one.dst_port}`)}
        {some(`All destinations of ${pair.src_name ?? pair.src_ip}`, to('hosts', pair.src_ip), asHost,
          (one) => `${one.server_name ?? one.dst_ip}:${one.dst_port}`)}
        <li><a href={withQuery(to('alerts'), {subject: pair.identity})}>Alerts about this pair</a></li>
      </ul>
    </Section>
  );
}

function Pivots({pair}: {pair: BeaconOf}) {
  const protocol = pair.protocol.toLowerCase();
  const port = pair.protocol === 'TCP' || pair.protocol === 'UDP' ? ` and ${protocol} port ${pair.dst_port}` : '';
  const v6 = pair.src_ip.includes(':') ? 'ipv6' : 'ip';
  return (
    <Section title="To search elsewhere">
      <Copy label="identity" text={pair.identity} />
      <Copy label="host" text={pair.src_ip} />
      <Copy label="destination" text={pair.dst_ip} />
      {pair.server_name && <Copy label="server name" text={pair.server_name} />}
      {(pair.uids ?? []).map((uid, i) => <Copy key={uid} label={`connection ${i + 1}`} text={uid} />)}
      <Copy label="tcpdump" text={`host ${pair.src_ip} and host ${pair.dst_ip}${port}`} />
      <Copy label="Wireshark" text={`${v6}.addr == ${pair.src_ip} && ${v6}.addr == ${pair.dst_ip}` +
        (port ? ` && ${protocol}.port == ${pair.dst_port}` : '')} />
    </Section>
  );
}

export function Beacon({identity}: {identity: string}) {
  const view = useQuery('pair ' + identity, () => api.pair(identity), ['status']);
  return (
    <>
      <p class="crumbs"><a href={to('beacons')}>Beacons</a></p>
      <Show of={view} what="this pair">
        {(data) => {
          const {pair} = data;
          return (
            <>
              <Title aside={<span class="badges"><SeverityBadge severity={pair.severity} />
                {!pair.is_beacon && <Badge tone="quiet">below the threshold now</Badge>}</span>}>
                {`${pair.src_name ?? pair.src_ip} → ${pair.server_name ?? pair.dst_name ?? pair.dst_ip}`}</Title>
              <p class="quiet"><code>{data.identity}</code></p>
              <div class="sides">
                <div>
                  <Why pair={pair} />
                  <Charts view={data} />
                </div>
                <div>
                  <TriageBox subject={data.identity} decision={data.triage?.decision ?? null} by={data.triage}
                    steps={data.triage_history} done={view.reload} />
                  <Facts pair={pair} />
                  <Related pair={pair} />
                  <Pivots pair={pair} />
                  <Section title="History" aside={<Sparkline values={data.history.map((one) => one.score)}
                    label={`Score over ${data.history.length} changes`} />}>
                    {data.history.length === 0 ? <p class="quiet">It was no beacon in any analysis.</p> : (
                      <ol class="steps">
                        {data.history.slice(-12).reverse().map((one) => (
                          <li key={one.time}><Time at={one.time} /> {percent(one.score)}{' '}
                            <SeverityBadge severity={one.severity} /></li>
                        ))}
                      </ol>
                    )}
                  </Section>
                </div>
              </div>
            </>
          );
        }}
      </Show>
    </>
  );
}
