import { dialectContract } from "./dialect-contract.ts";
import { droidOneTurn, droidWarm } from "./specimens/droid.ts";

dialectContract(droidWarm);
dialectContract(droidOneTurn);
