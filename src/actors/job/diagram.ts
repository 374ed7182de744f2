/**
 * The machine as a Mermaid state diagram.
 *
 * @module
 */
import type { JobMachine } from "./machine.ts";

type Node = JobMachine["root"];

/** `stateDiagram-v2` text, drawn from the definition alone; transitions that stay where they are left out. */
export function mermaidDiagram(machine: JobMachine): string {
  const lines = ["stateDiagram-v2"];
  for (const state of childrenOf(machine.root)) {
    const inner = childrenOf(state);
    if (inner.length === 0) continue;
    lines.push(`  state ${state.key} {`);
    for (const child of inner) lines.push(`    ${child.key}`);
    lines.push("  }");
  }
  for (const state of childrenOf(machine.root)) lines.push(...edgesOf(state));
  return lines.join("\n");
}

function edgesOf(state: Node): string[] {
  const labels = new Map<string, Set<string>>();
  for (const node of [state, ...childrenOf(state)]) {
    for (const [type, transitions] of node.transitions) {
      for (const { target } of transitions) {
        const to = target?.[0] as Node | undefined;
        if (!to) continue;
        const edge = `${drawn(node)} --> ${drawn(to)}`;
        labels.set(edge, (labels.get(edge) ?? new Set()).add(type.replace("job.", "")));
      }
    }
  }
  return [...labels].map(([edge, types]) => `  ${edge}: ${[...types].join(", ")}`);
}

function childrenOf(node: Node): Node[] {
  return Object.values(node.states) as Node[];
}

function drawn(node: Node): string {
  return node.key === "absent" ? "[*]" : node.key;
}
