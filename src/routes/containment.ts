import { type ContainmentReport, containmentReportSchema } from "../domain/containment-report.ts";
import type { RouteTable } from "./route-table.ts";

export interface ContainmentDeps {
  containmentReport(): ContainmentReport;
}

export function addContainmentRoute(table: RouteTable, { containmentReport }: ContainmentDeps): void {
  table.add(
    {
      method: "GET",
      path: "/api/containment",
      summary: "What contains runs, what outlived it in the self-test, and what to do about it",
      tag: "Operations",
      access: "token",
      answers: { 200: { description: "The report", schema: containmentReportSchema } },
      refusals: [],
    },
    (c) => c.json(containmentReport()),
  );
}
