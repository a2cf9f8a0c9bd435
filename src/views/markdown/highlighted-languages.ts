/** What can be highlighted, by all its names. Kept here so that asking doesn't load the highlighter. */
const namesByLanguage: Record<string, string> = {
  bash: "sh zsh",
  c: "h",
  cpp: "cc c++ h++ hpp hh hxx cxx",
  csharp: "cs c#",
  css: "",
  diff: "patch",
  go: "golang",
  graphql: "gql",
  ini: "toml",
  java: "jsp",
  javascript: "js jsx mjs cjs",
  json: "jsonc json5",
  kotlin: "kt kts ktm ktx",
  less: "",
  lua: "pluto",
  makefile: "mk mak make",
  markdown: "md mkdown mkd",
  objectivec: "mm objc obj-c obj-c++ objective-c++",
  perl: "pl pm",
  php: "",
  "php-template": "",
  python: "py gyp ipython",
  "python-repl": "pycon",
  r: "",
  ruby: "rb gemspec podspec thor irb",
  rust: "rs",
  scss: "",
  shell: "console shellsession",
  sql: "",
  swift: "",
  typescript: "ts tsx mts cts",
  vbnet: "vb",
  wasm: "",
  xml: "html xhtml rss atom xjb xsd xsl plist wsf svg",
  yaml: "yml",
};

const languageByName = new Map(
  Object.entries(namesByLanguage).flatMap(([language, names]) =>
    [language, ...names.split(" ")].map((name) => [name, language] as const),
  ),
);
languageByName.delete("");

/** The highlighter's own name for a language, or null when it doesn't know it. */
export function highlightedLanguage(name: string): string | null {
  return languageByName.get(name.toLowerCase()) ?? null;
}
