/** Goes up with every change of what the views make of the same settled answer; part of each cache key. */
export const rendererVersion = 2;

/** Of a longer text only so much is shown, and a note. */
export const formattedCharsMax = 1_048_576;
