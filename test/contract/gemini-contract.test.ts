import { dialectContract } from "./dialect-contract.ts";
import { geminiOneTurn, geminiWarm } from "./specimens/gemini.ts";

dialectContract(geminiWarm);
dialectContract(geminiOneTurn);
