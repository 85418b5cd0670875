export { LoginPage } from "../features/login/login-page.tsx";
