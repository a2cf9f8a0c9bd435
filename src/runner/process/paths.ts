/** Whether a path is a folder or lies in it; both real, absolute and without a trailing slash. */
export function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
