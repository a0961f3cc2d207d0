/** The way of a number, drawn small; 0 to 1 from bottom to top. */
const WIDTH = 240;
const HEIGHT = 48;

export function Sparkline({ values, label }: { values: number[]; label: string }) {
  const step = WIDTH / Math.max(values.length - 1, 1);
  const y = (value: number) => (HEIGHT - 2) * (1 - value) + 1;
  const points = values.map((value, place) => `${(place * step).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width="100%" height={HEIGHT} preserveAspectRatio="none" role="img">
      <title>{label}</title>
      <polyline
        points={points}
        fill="none"
        stroke="var(--mantine-primary-color-filled)"
        strokeWidth={2}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
