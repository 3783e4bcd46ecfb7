/** Seconds of this process' own work: what other processes take of the machine isn't in it. */
export function cpuSeconds(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
