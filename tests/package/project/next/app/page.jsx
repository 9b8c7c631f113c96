import { Turns } from './turns.jsx';

export default function Page() {
  return <Turns />;
}
