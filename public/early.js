// Runs before the first paint, so that a chosen look and language do not flash. Modules come too late for that.
(() => {
  const root = document.documentElement;
  try {
    const theme = JSON.parse(localStorage.getItem("theme"));
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (JSON.parse(localStorage.getItem("language")) === "zh") root.lang = "zh-CN";
  } catch {
    // Storage may be forbidden or hold nonsense: the look then follows the system.
  }
})();
