export { TaskPage } from "../features/task/task-page.tsx";
