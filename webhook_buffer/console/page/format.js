// Numbers and times as people read them.

const TIME = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"});
const SHORT = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit"});
const DAY = new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short"});

/** Unix seconds as a time of day, with the day where it is not today's. */
export function time(seconds, short = false) {
  if (seconds === null || seconds === undefined) return "";
  const date = new Date(seconds * 1000);
  const text = (short ? SHORT : TIME).format(date);
  return date.toDateString() === new Date().toDateString() ? text : `${DAY.format(date)} ${text}`;
}

/** How long, in the largest unit that fits, and the one below it. */
export function duration(seconds) {
  const whole = Math.max(0, seconds);
  if (whole < 1) return `${Math.round(whole * 1000)} ms`;
  if (whole < 10) return `${plain(whole, 2)} s`;
  if (whole < 120) return `${Math.round(whole)} s`;
  if (whole < 7200) return `${Math.round(whole / 60)} min`;
  if (whole < 172800) return `${plain(whole / 3600, 2)} h`;
  return `${plain(whole / 86400, 2)} d`;
}

/** A number with so many significant digits at most, without trailing zeros. */
export function plain(value, digits = 3) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size < 1e-6) return value.toExponential(1);
  return String(Number(value.toPrecision(digits)));
}

function compact(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${plain(value / 1e9)}G`;
  if (size >= 1e6) return `${plain(value / 1e6)}M`;
  if (size >= 1e4) return `${plain(value / 1e3)}k`;
  return plain(value);
}

/** A value in its unit. */
export function quantity(value, unit) {
  if (value === null || value === undefined) return "–";
  switch (unit) {
    case "percent": return `${plain(value)} %`;
    case "second": return value === 0 ? "0 s" : duration(value);
    case "millisecond": return value === 0 ? "0 ms" : value < 1000 ? `${plain(value)} ms` : duration(value / 1000);
    case "dollar": return `$${plain(value)}`;
    case "mebibyte": return `${compact(value)} MiB`;
    default: return compact(value);
  }
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1048576) return `${plain(count / 1024)} KiB`;
  return `${plain(count / 1048576)} MiB`;
}
