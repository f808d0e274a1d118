// Prints one line of JSON for each file named: what an independent reader finds in it.
import { readFile } from 'node:fs/promises';
import { BMFF, JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore } from '@trustnxt/c2pa-ts/manifest';

// Its list of brands names pictures alone (heic, mif1). A clip has the same boxes and the same rules of hashing.
BMFF.canReadBrands.add('isom');

const check = async (file) => {
  const bytes = await readFile(file);
  const Kind = [JPEG, PNG, BMFF].find((each) => each.canRead(bytes));
  const asset = new Kind(bytes);
  const store = asset.getManifestJUMBF();
  if (!store) return { found: false };
  const manifests = ManifestStore.read(SuperBox.fromBuffer(store));
  const result = await manifests.validate(asset);
  const active = manifests.getActiveManifest();
  const assertions = active.assertions.assertions;
  return {
    found: true,
    valid: result.isValid,
    failures: result.statusEntries.filter((each) => !each.success).map((each) => each.code),
    successes: result.statusEntries.filter((each) => each.success).map((each) => each.code),
    manifests: manifests.manifests.length,
    title: active.claim.title,
    generator: [active.claim.claimGeneratorName, active.claim.claimGeneratorVersion].join(' '),
    labels: assertions.map((each) => each.fullLabel),
    actions: assertions.flatMap((each) => each.actions ?? []).map((each) => each.action),
  };
};

for (const file of process.argv.slice(2)) {
  const found = await check(file).catch((fault) => ({ found: true, valid: false, failures: [String(fault)] }));
  console.log(JSON.stringify(found));
}
