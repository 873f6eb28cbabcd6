import { Icon } from './controls/icon.tsx';

const suggestions = [
  { icon: 'bug', text: 'Run the tests, and fix what fails' },
  { icon: 'book', text: 'Explain how this project is built' },
  { icon: 'search', text: 'Find the code that nobody calls' },
] as const;

/** An empty conversation: what Cordon is, and a few ways to begin, which fill the prompt box and send nothing. */
export function Welcome({ onPick }: { onPick: (text: string) => void }) {
  return (
    <section class="welcome" aria-label="Welcome">
      <div class="gate-icon">
        <Icon name="shield" />
      </div>
      <h2>What shall we do?</h2>
      <p>Commands run walled in by the operating system. What leaves the walls, you decide.</p>
      <ul class="suggestions">
        {suggestions.map(({ icon, text }) => (
          <li key={text}>
            <button type="button" class="suggestion" onClick={() => onPick(text)}>
              <Icon name={icon} />
              {text}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
