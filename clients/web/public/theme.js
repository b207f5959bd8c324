// Runs before the first paint, so that a chosen theme does not flash. The rest of the page knows it as state/preferences.
try {
  const theme = localStorage.getItem('albumen-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // A browser that forbids storage gets the theme of its system.
}
