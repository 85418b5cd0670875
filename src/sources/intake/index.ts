export { createIntake, type Intake, type KnownRepository } from "./intake.ts";
