/** Links to pages that look like the rest: their addresses and parameters are checked by the compiler. */
import { Anchor, type AnchorProps, Button, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode } from 'react';

type Native = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof AnchorProps | keyof ButtonProps> & {
  children?: ReactNode;
};

export const AnchorTo = createLink((props: AnchorProps & Native) => <Anchor {...props} />);

export const ButtonTo = createLink((props: ButtonProps & Native) => <Button component="a" {...props} />);
