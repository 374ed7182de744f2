/**
 * What the reports of the audit's commands share.
 *
 * @module
 */
import { shownValue } from "../../audit/describe.ts";
import type { Difference, Found } from "../../audit/findings.ts";

export function shownDifferences({ total, shown }: Found<Difference>) {
  return {
    total,
    shown: shown.map(({ key, is, shouldBe }) => ({
      key,
      is: shownValue(is),
      should_be: shownValue(shouldBe),
    })),
  };
}

export function listed<T>(
  what: string,
  where: string,
  { total, shown }: Found<T>,
  describe: (found: T) => string,
): string[] {
  if (total === 0) return [];
  const more = total - shown.length;
  return [
    `${count(total, what)} ${where}:`,
    ...shown.map((found) => `  ${describe(found)}`),
    ...more > 0 ? [`  … and ${number(more)} more (--show <n> shows more)`] : [],
  ];
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

export function number(n: number): string {
  return n.toLocaleString("en");
}
