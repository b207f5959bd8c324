/** Keeps the screen on, so that a phone does not fall asleep over its uploads; returns what lets it. */
export function keepAwake(): () => void {
  let isWanted = true
  let lock: WakeLockSentinel | undefined
  const ask = async (): Promise<void> => {
    if (!isWanted || document.hidden) return // the browser takes the lock from a page that is not seen
    lock = await navigator.wakeLock?.request('screen').catch(() => undefined)
    if (!isWanted) void lock?.release()
  }
  document.addEventListener('visibilitychange', ask)
  void ask()
  return () => {
    isWanted = false
    document.removeEventListener('visibilitychange', ask)
    void lock?.release()
  }
}
