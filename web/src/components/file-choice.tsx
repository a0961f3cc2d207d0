/** What opens the browser's choice of files. The same file can be chosen again: it may have changed since, or have failed. */
import { FileButton, type FileButtonProps } from '@mantine/core';
import { useRef } from 'react';

/** A browser tells only of a choice that differs from the one before, so that each is forgotten once it was told. */
export function FileChoice<Many extends boolean = false>(props: Omit<FileButtonProps<Many>, 'resetRef'>) {
  const reset = useRef<() => void>(null);
  return (
    <FileButton<Many>
      {...props}
      resetRef={reset}
      onChange={(files) => {
        reset.current?.();
        props.onChange(files);
      }}
    />
  );
}
