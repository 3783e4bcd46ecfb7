// The choice of a backend: which of them this browser has, and what a probe of the chosen one found.
import { backendNames } from "../backend/load.ts";
import { findAdapter } from "../backend/webgpu/device.ts";
import type { Certificate } from "../compile/contract.ts";
import { certificateLines, classWords } from "../report/certificate.ts";
import { type Finding, probeInWorker } from "../worker/index.ts";
import type { Files } from "./archive.ts";
import { part, told } from "./parts.ts";

const needsAdapter = (name: string) => name.endsWith("webgpu");

/** Fills the choice. What needs a GPU is offered where there is an adapter; where there is none the page says why. */
export async function offerBackends(): Promise<void> {
  const options = backendNames.map((name) => Object.assign(document.createElement("option"), { textContent: name }));
  part("backend").append(...options);
  try {
    await findAdapter();
  } catch (error) {
    for (const option of options) option.disabled = needsAdapter(option.value);
    part("no-gpu").hidden = false;
    part("no-gpu").textContent = `${backendNames.filter(needsAdapter).join(" and ")} can’t be chosen: ${told(error)}`;
  }
}

const findings = new Map<string, Promise<Finding>>();

/** What a probe of a backend found; each is tried once. */
function findingOf(backend: string): Promise<Finding> {
  const finding = findings.get(backend) ?? probeInWorker(backend);
  findings.set(backend, finding);
  return finding;
}

function wordsOf({ backend, found, ...finding }: Finding): string {
  if (finding.class === "-") return `${backend} is ${found}`;
  return `${backend}: class ${finding.class} (${classWords[finding.class]}), ${found}.`;
}

function showCertificate(backend: string, certificate: Certificate | undefined): void {
  // Longer lines are scrolled, by the keyboard too.
  part("certificate").tabIndex = 0;
  part("certificate").hidden = certificate === undefined;
  part("certificate").textContent = certificate ? certificateLines(backend, certificate).join("\n") : "";
}

/** Tries a backend, unless that was done, and shows what was found as long as it is the chosen one. */
export async function showBackend(backend: string): Promise<void> {
  const isChosen = () => part<HTMLSelectElement>("backend").value === backend;
  showCertificate(backend, undefined);
  part("backend-found").textContent = `${backend} is being tried …`;
  try {
    const finding = await findingOf(backend);
    if (!isChosen()) return;
    part("backend-found").textContent = wordsOf(finding);
    showCertificate(backend, "certificate" in finding ? finding.certificate : undefined);
  } catch (error) {
    if (isChosen()) part("backend-found").textContent = told(error);
  }
}

/** Shows what a run found on its device, with the kernels that it used. */
export function showRunCertificate(backend: string, files: Files): void {
  const manifest = Object.entries(files).find(([path]) => path.endsWith("/manifest.json"));
  const { certificate } = manifest ? JSON.parse(new TextDecoder().decode(manifest[1])) : {};
  if (certificate) showCertificate(backend, certificate);
}
