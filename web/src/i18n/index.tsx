/** The language of the page: texts and formats for components, kept across visits. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { en, type Messages } from './en';
import { createFormat, type Format, type Language } from './format';
import { zh } from './zh';

const KEY = 'rapport.language';
const MESSAGES: Record<Language, Messages> = { en, zh };

interface I18n {
  t: Messages;
  format: Format;
  language: Language;
  setLanguage(language: Language): void;
}

const I18nContext = createContext<I18n | null>(null);

/** The stored choice, else the browser's language. */
function initialLanguage(): Language {
  const stored = localStorage.getItem(KEY);
  if (stored === 'en' || stored === 'zh') return stored;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setState] = useState(initialLanguage);
  const setLanguage = useCallback((next: Language) => {
    localStorage.setItem(KEY, next);
    setState(next);
  }, []);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const value = useMemo(
    () => ({ t: MESSAGES[language], format: createFormat(language), language, setLanguage }),
    [language, setLanguage],
  );
  return <I18nContext value={value}>{children}</I18nContext>;
}

export function useI18n(): I18n {
  const value = useContext(I18nContext);
  if (!value) throw new Error('useI18n needs an I18nProvider above it');
  return value;
}
