/** A share as a thin bar; the number stands beside it as text, so it is silent. */
export function Bar({ share, color = 'var(--mantine-primary-color-filled)', marks = [] }: BarProps) {
  return (
    <svg viewBox="0 0 100 4" width="100%" height={6} preserveAspectRatio="none" aria-hidden="true">
      <rect width={100} height={4} rx={0} fill="var(--mantine-color-default-hover)" />
      <rect width={Math.min(share, 1) * 100} height={4} fill={color} />
      {marks.map((mark) => (
        <rect key={mark} x={mark * 100 - 0.2} width={0.4} height={4} fill="var(--mantine-color-dimmed)" />
      ))}
    </svg>
  );
}

interface BarProps {
  /** From 0 to 1. */
  share: number;
  color?: string;
  /** Places from 0 to 1 that mean something. */
  marks?: number[];
}
