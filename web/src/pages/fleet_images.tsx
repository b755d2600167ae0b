// Images of instruments: what may be installed, by whom it is signed, and what it may do.
import {useRef, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Image} from '../api/types';
import {Badge, Copy, Empty, Fact, Problem, Section, Show, Time, Title} from '../components/basics';
import {Dialog} from '../components/dialog';
import {FleetTabs, ShortTable, Sure} from '../components/fleet_bits';
import {Table, type Column} from '../components/table';
import {bytes, percent, plural} from '../format';
import {sha256Of} from '../sha256';
import {useAction, useQuery} from '../state/query';
import {go, to, withQuery} from '../state/router';
import {useMay} from '../state/store';
import {concernsDocuments} from './fleet_words';

const kPiece = 8 << 20;

const kColumns: Column<Image>[] = [
  {key: 'name', title: 'Image', width: 'minmax(7.5rem, 1.5fr)', narrow: true, cell: (one) => `${one.name || 'unknown'} ${one.version}`},
  {key: 'signer', title: 'Signed by', width: 'minmax(8rem, 1fr)', cell: (one) => one.signer || <span class="quiet">unknown</span>},
  {key: 'bytes', title: 'Size', width: '6rem', right: true, cell: (one) => bytes(one.bytes)},
  {key: 'state', title: 'State', width: '8rem', narrow: true, cell: (one) => one.complete ? <Badge tone="good">whole</Badge>
    : <Badge tone="medium">in pieces</Badge>},
  {key: 'used', title: 'Used by', width: '6rem', right: true, narrow: true, cell: (one) => String(one.used_by)},
  {key: 'added', title: 'Added', width: '7rem', cell: (one) => <Time at={one.added} short />},
  {key: 'who', title: 'By', width: '7rem', wide: true, cell: (one) => one.who},
];

// In pieces: one that breaks off goes on where it was, also after the page was closed.
function Upload({close, done}: {close: () => void; done: () => void}) {
  const [file, setFile] = useState<File | null>(null);
  const [signature, setSignature] = useState<File | null>(null);
  const [words, setWords] = useState('');
  const [share, setShare] = useState(0);
  const stopped = useRef(false);
  const act = useAction(async () => {
    if (!file || !signature) return;
    stopped.current = false;
    if (file.size === 0 || file.size > 1 << 30) throw new api.ApiError(400, 'An image has more than nothing and at most 1 GiB.');
    if (signature.size > 4096) throw new api.ApiError(400, 'The second file is no signature: it is too long.');
    setWords('Reading it');
    const sha256 = await sha256Of(file, (octets) => setShare(octets / file.size));
    setWords('Sending it');
    setShare(0);
    // What the server has of it already is not sent again: it says so at the first piece.
    let have = 0;
    while (have < file.size && !stopped.current) {
      const answer = await api.putImage(sha256, have, file.slice(have, have + kPiece));
      if (answer.have <= have) throw new api.ApiError(500, 'The server keeps nothing of what it is sent.');
      have = answer.have;
      setShare(have / file.size);
    }
    if (stopped.current) return;
    setWords('The server checks the signature');
    await api.completeImage(sha256, await signature.text());
    done();
    close();
    go(to('fleet', 'images', sha256));
  });
  return (
    <Dialog title="Upload an image" close={() => {
      stopped.current = true;
      close();
    }}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void act.run();
      }}>
        <label>Image (.instrument) <input type="file" required accept=".instrument"
          onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} /></label>
        <label>Its signature (.minisig) <input type="file" required accept=".minisig"
          onChange={(event) => setSignature(event.currentTarget.files?.[0] ?? null)} /></label>
        <p class="quiet">Each sensor checks the signature against the publishers’ keys that were pinned at its set-up: this
          server cannot make one.</p>
        <div class="buttons"><button class="primary" disabled={act.busy || !file || !signature}>Upload</button></div>
        {act.busy && <p role="status">{words} … <progress max={1} value={share} aria-label="Upload" /> {percent(share)}</p>}
        <Problem error={act.error} />
      </form>
    </Dialog>
  );
}

export function FleetImages() {
  const images = useQuery('images', api.images, ['fleet'], 1000, concernsDocuments);
  const admin = useMay('admin');
  const [uploading, setUploading] = useState(false);
  return (
    <>
      <Title aside={admin && <button type="button" class="primary" onClick={() => setUploading(true)}>Upload an image …</button>}>Images</Title>
      <FleetTabs at="images" />
      <Show of={images} what="images">
        {(data) => data.images.length > 0
          ? <Table label="Images" rows={data.images} columns={kColumns} id={(one) => one.sha256} href={(one) => to('fleet', 'images', one.sha256)} />
          : <Empty title="There is no image yet">Build one with <code>beaconry instrument build</code>, sign it, and upload both files here.</Empty>}
      </Show>
      {uploading && <Upload close={() => setUploading(false)} done={images.reload} />}
    </>
  );
}

export function FleetImage({sha256}: {sha256: string}) {
  const image = useQuery('image ' + sha256, () => api.image(sha256), ['fleet'], 1000, concernsDocuments);
  const admin = useMay('admin'), operator = useMay('operator');
  return (
    <>
      <p class="crumbs"><a href={to('fleet', 'images')}>Images</a></p>
      <Title>{image.data ? `${image.data.name} ${image.data.version}` : 'Image'}</Title>
      <FleetTabs at="images" />
      <Show of={image} what="the image">
        {(data) => (
          <>
            <Section title="What it is" aside={operator && data.complete && <a href={withQuery(to('fleet', 'install'), {image: data.sha256})}>Install it</a>}>
              {typeof data.manifest?.['description'] === 'string' && <p class="lead">{data.manifest['description']}</p>}
              <dl class="facts">
                <Fact name="Signed by">{data.signer || 'unknown'}</Fact>
                <Fact name="Size">{bytes(data.bytes)}{!data.complete && ', not all of it is here'}</Fact>
                <Fact name="Added"><Time at={data.added} /> by {data.who}</Fact>
                <Fact name="Used by">{data.used_by === 0 ? 'none' : plural(data.used_by, 'instrument')}</Fact>
              </dl>
              <Copy label="fingerprint" text={data.sha256} />
              {admin && (data.used_by > 0 ? <p class="quiet">It can be removed once nothing uses it.</p>
                : <div class="buttons"><Sure label="Remove …" sure="Remove the image" run={async () => {
                    await api.removeImage(data.sha256);
                    go(to('fleet', 'images'));
                  }} /></div>)}
            </Section>
            <Section title="What it may do">
              {!data.complete ? <p class="quiet">That is known once all of it is here.</p>
                : (data.permissions ?? []).length === 0 ? <p>Nothing beyond computing in its container.</p>
                : <ul class="bullets">{data.permissions!.map((one) => <li key={one}>{one}</li>)}</ul>}
            </Section>
            <Section title="Interfaces">
              {(data.interfaces ?? []).length === 0 ? <p class="quiet">It needs none.</p> : (
                <ShortTable label="Interfaces" heads={['Interface', 'May', 'For']}>
                  {data.interfaces!.map((one) => <tr key={one.name}><th scope="row">{one.name}</th><td>{one.contract}{one.optional && ', optional'}</td><td>{one.words}</td></tr>)}
                </ShortTable>
              )}
            </Section>
            {data.manifest && <Section title="Manifest"><details><summary>As its author wrote it</summary>
              <pre tabIndex={0}>{JSON.stringify(data.manifest, null, 2)}</pre></details></Section>}
          </>
        )}
      </Show>
    </>
  );
}
